// What programs/redox/src/bin/redox-check.rs traces: it stops itself, and then does one thing after the other that a tracer can stop at.
#include <signal.h>

__asm__("body:\n"
        "    mov $39, %eax\n" // getpid
        "    syscall\n"
        "    mov %eax, %ebx\n"
        "    mov %ebx, %edi\n"
        "    mov $19, %esi\n" // SIGSTOP
        "    mov $62, %eax\n" // kill
        "    syscall\n"
        // For steps.
        "    mov $1, %eax\n"
        "    push %rax\n"
        "    mov $2, %eax\n"
        "    pop %rax\n"
        // For memory.
        "    push $3\n"
        "    push $2\n"
        "    push $1\n"
        "    add $8, %rsp\n"
        "    pop %rcx\n" // 2, unless it has been written
        "    add $8, %rsp\n"
        // For the FPU.
        "    push $32\n"
        "    fildq (%rsp)\n"
        "    fsqrt\n"
        "    add $8, %rsp\n"
        // Two children.
        "    mov $57, %eax\n" // fork
        "    syscall\n"
        "    test %eax, %eax\n"
        "    je child\n"
        "    call wait\n"
        "    mov $57, %eax\n"
        "    syscall\n"
        "    test %eax, %eax\n"
        "    je child\n"
        "    call wait\n"
        // Two signals.
        "    mov %ebx, %edi\n"
        "    mov $10, %esi\n" // SIGUSR1
        "    mov $62, %eax\n"
        "    syscall\n"
        "    mov $62, %eax\n"
        "    syscall\n"
        // A breakpoint.
        "    int3\n"
        "    mov $110, %eax\n" // getppid
        "    syscall\n"
        "    mov %eax, %edi\n"
        "    add handled(%rip), %edi\n"
        "    mov $231, %eax\n" // exit_group
        "    syscall\n"
        "child:\n"
        "    mov $39, %eax\n"
        "    syscall\n"
        "    mov $7, %edi\n"
        "    mov $231, %eax\n"
        "    syscall\n"
        "wait:\n"
        "    mov %eax, %edi\n"
        "    xor %esi, %esi\n"
        "    xor %edx, %edx\n"
        "    xor %r10d, %r10d\n"
        "    mov $61, %eax\n" // wait4
        "    syscall\n"
        "    ret\n");

void body(void);
int handled;

static void count(int signal) {
    handled += signal;
}

int main(void) {
    signal(SIGUSR1, count);
    body();
}
