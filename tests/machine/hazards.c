// What a program may do with its flags and its debugger with the debug registers: each of these once stopped the
// machine, or would have.
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long word __attribute__((aligned(64)));
static char *hole;

#define FLAGS(set) "pushfq\n orq $" #set ", (%%rsp)\n popfq\n"
#define SYSENTER "movl $-7, %%eax\n movq %%rsp, %%rcx\n leaq 1f(%%rip), %%rdx\n 1: sysenter\n"

// Each with a flag that the kernel must not keep, in a loop long enough for the timer to come.
static void nested_task(void) {
    for (int i = 0; i < 2000; i++)
        __asm__ volatile(FLAGS(0x4000) SYSENTER "pushfq\n andq $~0x4000, (%%rsp)\n popfq\n" ::
                             : "rax", "rcx", "rdx", "r11", "rdi", "rsi", "r8", "r9", "r10", "r15", "memory");
}
static void nested_task_and_call(void) {
    for (int i = 0; i < 200; i++) {
        __asm__ volatile(FLAGS(0x4000)::: "memory");
        getppid();
        __asm__ volatile("pushfq\n andq $~0x4000, (%rsp)\n popfq");
    }
}
static void direction(void) {
    __asm__ volatile("std\n" SYSENTER "cld" ::
                         : "rax", "rcx", "rdx", "r11", "rdi", "rsi", "r8", "r9", "r10", "r15", "memory");
}
static void alignment(void) {
    __asm__ volatile(FLAGS(0x40000) SYSENTER "pushfq\n andq $~0x40000, (%%rsp)\n popfq\n" ::
                         : "rax", "rcx", "rdx", "r11", "rdi", "rsi", "r8", "r9", "r10", "r15", "memory");
}
static void trap_sysenter(void) {
    __asm__ volatile(FLAGS(0x100) SYSENTER ::
                         : "rax", "rcx", "rdx", "r11", "rdi", "rsi", "r8", "r9", "r10", "r15", "memory");
}
static void trap_syscall(void) {
    __asm__ volatile(FLAGS(0x100) "movl $39, %%eax\n syscall\n" ::: "rax", "rcx", "r11", "memory");
}
static void icebp(void) {
    __asm__ volatile(".byte 0xf1");
}
// Under a debugger, with `word` watched.
static void step_into_watch(void) {
    __asm__ volatile(FLAGS(0x100) "movq $1, %0\n nop\n" : "=m"(word));
}
static void fault_behind_watch(void) {
    __asm__ volatile("movsq" ::"S"(&word), "D"(hole) : "memory");
}
static void step_into_fault(void) {
    __asm__ volatile(FLAGS(0x100) "movsq" ::"S"(&word), "D"(hole) : "memory");
}
static void push_watch_sysenter(void) {
    for (int i = 0; i < 3; i++)
        __asm__ volatile("movq $1, %0\n" SYSENTER
                         : "=m"(word)::"rax", "rcx", "rdx", "r11", "rdi", "rsi", "r8", "r9", "r10", "r15", "memory");
}
static void watch_syscall(void) {
    for (int i = 0; i < 3; i++) {
        word = 1;
        getppid();
    }
}

static int debug(pid_t child, int n, unsigned long value) {
    return ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[n]), value);
}

// Runs a program under a debugger that lets every trap pass, by steps or freely.
static void run(const char *name, void (*f)(void), unsigned long dr7, int request) {
    pid_t child = fork();
    if (!child) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        f();
        _exit(0);
    }
    int status = 0, stops = 0;
    waitpid(child, &status, 0);
    if (debug(child, 0, (unsigned long)&word) || debug(child, 7, dr7))
        printf("%s: no breakpoint\n", name);
    ptrace(request, child, 0, 0);
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        int signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        if (++stops > 3000) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            break;
        }
        ptrace(request, child, 0, signal);
    }
    fprintf(stderr, "%s: %d stops, status %x\n", name, stops, status);
}

int main(void) {
    hole = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct {
        const char *name;
        void (*f)(void);
    } all[] = {
        {"nested task", nested_task},
        {"nested task and call", nested_task_and_call},
        {"direction", direction},
        {"alignment", alignment},
        {"trap, sysenter", trap_sysenter},
        {"trap, syscall", trap_syscall},
        {"icebp", icebp},
        {"step into a watch", step_into_watch},
        {"fault behind a watch", fault_behind_watch},
        {"step into a fault", step_into_fault},
        {"watch, sysenter", push_watch_sysenter},
        {"watch, syscall", watch_syscall},
    };
    static const unsigned long watches[] = {0, 0x90001, 0xb0001};
    static const int requests[] = {PTRACE_CONT, PTRACE_SINGLESTEP, PTRACE_SYSCALL};
    int n = 0;
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        pid_t child = fork();
        if (!child) {
            signal(SIGTRAP, SIG_IGN);
            all[i].f();
            _exit(0);
        }
        waitpid(child, 0, 0);
        for (int w = 0; w < 3; w++)
            for (int r = 0; r < 3; r++, n++)
                run(all[i].name, all[i].f, watches[w], requests[r]);
    }
    printf("%d runs, and the machine is there\n", n);
    return 0;
}
