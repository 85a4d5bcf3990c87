// Children make random system calls with random arguments, jump to random instructions and send random sysenter
// messages; none of them harms anybody else.
//   random_calls CHILDREN SEED
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t state;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1d;
}

static char page[3 * 4096];

static uint64_t argument(void) {
    switch (next() % 8) {
    case 0:
        return 0;
    case 1:
        return next() % 16;
    case 2:
        return (uint64_t)page + next() % sizeof page;
    case 3:
        return -(next() % 4096);
    case 4:
        return 0x7fffffffe000 - next() % 8192;
    case 5:
        return next();
    case 6:
        return 1ul << next() % 64;
    default:
        return next() & 0xffffffff;
    }
}

// What must not be called: ways to harm what one's own user may harm.
static int spared(uint64_t nr) {
    return nr == SYS_kill || nr == SYS_tkill || nr == SYS_tgkill || nr == SYS_rt_sigqueueinfo || nr == SYS_rt_tgsigqueueinfo ||
           nr == SYS_unlink || nr == SYS_unlinkat || nr == SYS_rmdir || nr == SYS_rename || nr == SYS_renameat ||
           nr == SYS_write || nr == SYS_writev || nr == SYS_pwritev || nr == SYS_pwritev2 || nr == SYS_sendfile ||
           nr == SYS_pause || nr == SYS_reboot || nr == SYS_fork || nr == SYS_vfork || nr == SYS_clone || nr == SYS_clone3;
}

static void calls(void) {
    for (int i = 0; i < 4000; i++) {
        uint64_t nr = next() % 16 ? next() % 460 : argument();
        if (spared(nr))
            continue;
        uint64_t a = argument(), b = argument(), c = argument();
        register uint64_t d __asm__("r10") = argument(), e __asm__("r8") = argument(), f __asm__("r9") = argument();
        __asm__ volatile("syscall" : "+a"(nr) : "D"(a), "S"(b), "d"(c), "r"(d), "r"(e), "r"(f) : "rcx", "r11", "memory");
    }
}

static void messages(void) {
    for (int i = 0; i < 200; i++) {
        uint64_t regs[8];
        for (int k = 0; k < 8; k++)
            regs[k] = argument();
        __asm__ volatile("mov %%rsp, %%rcx\n lea 1f(%%rip), %%rdx\n movq 0(%0), %%rax\n movq 8(%0), %%rdi\n"
                         "movq 16(%0), %%rsi\n movq 24(%0), %%r8\n movq 32(%0), %%r9\n movq 40(%0), %%r10\n sysenter\n 1:"
                         :
                         : "b"(regs)
                         : "rax", "rcx", "rdx", "rdi", "rsi", "r8", "r9", "r10", "r11", "memory");
    }
}

static void instructions(void) {
    unsigned char *code = mmap(0, 65536, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 65536; i++)
        code[i] = next();
    // `int 0x80` and `syscall` could be kill; the first byte of either is changed.
    for (int i = 0; i + 1 < 65536; i++)
        if (code[i] == 0x0f && code[i + 1] == 0x05)
            code[i] = 0x90;
    __asm__ volatile("jmp *%0" : : "r"(code + next() % 65000), "a"(argument()), "b"(argument()), "c"(argument()), "d"(argument()));
}

static void child(int kind) {
    struct rlimit small = {64 << 20, 64 << 20}, one = {1, 1};
    setrlimit(RLIMIT_AS, &small);
    setrlimit(RLIMIT_CPU, &one);
    struct itimerval soon = {{0, 100000}, {0, 300000}};
    setitimer(ITIMER_REAL, &soon, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(0);
    close(1);
    close(2);
    setresuid(1000, 1000, 1000);
    if (kind == 0)
        calls();
    else if (kind == 1)
        messages();
    else
        instructions();
    _exit(0);
}

int main(int argc, char **argv) {
    int children = argc > 1 ? atoi(argv[1]) : 100;
    uint64_t seed = argc > 2 ? strtoull(argv[2], 0, 0) : 1;
    for (int i = 0; i < children; i++) {
        state = seed * 0x9e3779b97f4a7c15 + i + 1;
        for (int k = 0; k < 8; k++)
            next();
        pid_t pid = fork();
        if (pid == 0)
            child(i % 3);
        int status = 0;
        // A child that sleeps through its alarm is killed.
        for (int waited = 0; waitpid(pid, &status, WNOHANG) == 0; waited++) {
            usleep(2000);
            if (waited == 1000)
                kill(pid, SIGKILL);
        }
    }
    while (waitpid(-1, 0, 0) > 0)
        ;
    printf("%d children are gone\n", children);
    return 0;
}
