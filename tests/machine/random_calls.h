// What the processes of random_calls.c do: whatever can be got wrong.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define NR_SERVER_CAPS 0x73740001
#define CODE 65536

static uint64_t state;
static char page[3 * 4096];
static unsigned char *code;
static sigjmp_buf again;
static int left;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1d;
}

// A number that might mean something.
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
    sigsetjmp(again, 1);
    while (left-- > 0) {
        uint64_t nr = next() % 16 ? next() % 460 : argument();
        if (spared(nr))
            continue;
        uint64_t a = argument(), b = argument(), c = argument();
        register uint64_t d __asm__("r10") = argument(), e __asm__("r8") = argument(), f __asm__("r9") = argument();
        __asm__ volatile("syscall" : "+a"(nr) : "D"(a), "S"(b), "d"(c), "r"(d), "r"(e), "r"(f) : "rcx", "r11", "memory");
    }
}

// Messages to the servers and to capabilities that are not there, with words that might mean something or not.
static void messages(void) {
    uint64_t servers = syscall(NR_SERVER_CAPS);
    sigsetjmp(again, 1);
    while (left-- > 0) {
        uint64_t kind = 16 + next() % 3, number = next() % 4096;
        uint64_t call = next() % 4 ? -1 - next() % 3 : argument();
        uint64_t to = next() % 8 ? servers + next() % 3 : argument();
        uint64_t shape = next() % 8 ? (kind | number << 8) << 12 | next() % 6 : argument();
        uint64_t stack = next() % 16 ? (uint64_t)page + 4096 : argument();
        uint64_t words[4] = {next() % 2 ? next() % 0x20 : 0x4200 + next() % 0x20, argument(), argument(), argument()};
        register uint64_t w0 __asm__("r10") = next() % 4 ? words[0] : argument();
        register uint64_t w1 __asm__("r8") = words[1], w2 __asm__("r9") = words[2], w3 __asm__("r15") = words[3];
        // Where it ends is often wrong, too.
        if (next() % 16)
            __asm__ volatile("mov %%rsp, %%rcx\n lea 1f(%%rip), %%rdx\n 1: sysenter"
                             : "+a"(call), "+D"(to), "+S"(shape), "+r"(w0), "+r"(w1), "+r"(w2), "+r"(w3)
                             :
                             : "rcx", "rdx", "r11", "memory");
        else
            __asm__ volatile("sysenter"
                             :
                             : "a"(call), "D"(to), "S"(shape), "c"(stack), "d"(argument()), "r"(w0), "r"(w1), "r"(w2), "r"(w3)
                             : "r11", "memory");
    }
}

static void fill_code(void) {
    for (int i = 0; i < CODE; i++)
        code[i] = next();
    // System calls could be kill. With VM among the flags that it takes off the stack, a program's iret gets QEMU into
    // virtual-8086 mode, which a processor in 64-bit mode does not have and no kernel expects.
    for (int i = 0; i + 1 < CODE; i++)
        if ((code[i] == 0x0f && code[i + 1] == 0x05) || code[i] == 0xcf)
            code[i] = 0x90;
}

// From a random instruction to the next, with random registers.
static void jumps(int signo, siginfo_t *info, void *p) {
    (void)signo, (void)info;
    ucontext_t *context = p;
    if (left-- <= 0)
        _exit(0);
    for (int i = 0; i < 16; i++)
        context->uc_mcontext.gregs[i] = argument();
    context->uc_mcontext.gregs[REG_EFL] = next() % 4 ? 0x202 : argument();
    context->uc_mcontext.gregs[REG_RIP] = next() % 64 ? (uint64_t)code + next() % (CODE - 16) : argument();
    sigemptyset(&context->uc_sigmask);
}

// sigreturn with a frame of which parts are anything.
static void returns(int signo, siginfo_t *info, void *p) {
    (void)signo, (void)info;
    ucontext_t *context = p;
    if (left-- <= 0)
        _exit(0);
    uint64_t *words = p, *fpu = (uint64_t *)context->uc_mcontext.fpregs;
    for (uint64_t count = next() % 4; count; count--)
        words[next() % (sizeof *context / 8)] = argument();
    for (uint64_t count = next() % 8; count; count--)
        fpu[next() % 64] = next() % 2 ? next() : argument();
    if (next() % 2) {
        context->uc_mcontext.gregs[REG_RIP] = (uint64_t)code + next() % (CODE - 16);
        sigemptyset(&context->uc_sigmask);
    }
}

static void back(int signo, siginfo_t *info, void *p) {
    (void)signo, (void)info, (void)p;
    siglongjmp(again, 1);
}

// Every signal that a wrong instruction brings, and the one that ends waits, go to a handler on a stack of its own.
static void handle(void (*handler)(int, siginfo_t *, void *)) {
    stack_t stack = {.ss_sp = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), .ss_size = 65536};
    sigaltstack(&stack, 0);
    int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGALRM};
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, 0);
}

static void run_code(void) {
    fill_code();
    __asm__ volatile("ud2");
}

// A tracee is given random registers, and its tracer makes random requests.
static void tracing(void) {
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        run_code();
    }
    fill_code();
    int status;
    while (left-- > 0 && waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
        struct user_regs_struct regs;
        uint64_t *words = (uint64_t *)&regs;
        ptrace(PTRACE_GETREGS, pid, 0, &regs);
        for (uint64_t count = next() % 8; count; count--)
            words[next() % (sizeof regs / 8)] = argument();
        regs.rip = next() % 32 ? (uint64_t)code + next() % (CODE - 16) : argument();
        regs.orig_rax = -1;
        ptrace(PTRACE_SETREGS, pid, 0, &regs);
        struct user_fpregs_struct fpregs;
        ptrace(PTRACE_GETFPREGS, pid, 0, &fpregs);
        ((uint32_t *)&fpregs)[next() % 32] = next();
        ptrace(PTRACE_SETFPREGS, pid, 0, &fpregs);
        ptrace(PTRACE_POKEUSER, pid, argument() % 2 ? argument() : next() % 912 & ~7, argument());
        struct iovec vector = {page + next() % 4096, next() % 1024};
        ptrace(PTRACE_SETREGSET, pid, next() % 3, &vector);
        uint64_t request = next() % 2 ? next() % 32 : 0x4200 + next() % 20;
        if (request != PTRACE_TRACEME && request != PTRACE_DETACH && request != PTRACE_KILL && request != PTRACE_CONT && request != PTRACE_SYSCALL)
            syscall(SYS_ptrace, request, pid, argument(), argument());
        int how[] = {PTRACE_CONT, PTRACE_SINGLESTEP, PTRACE_SYSCALL};
        ptrace(how[next() % 3], pid, 0, 0);
    }
    kill(pid, SIGKILL);
}

struct kind {
    const char *name;
    void (*handler)(int, siginfo_t *, void *);
    void (*run)(void);
    int actions;
};

static const struct kind kinds[] = {
    {"calls", back, calls, 4000},     {"messages", back, messages, 4000}, {"instructions", jumps, run_code, 2000},
    {"sigreturns", returns, run_code, 2000}, {"ptrace", 0, tracing, 300},
};

#define KINDS (sizeof kinds / sizeof *kinds)

static void run(const struct kind *kind) {
    code = mmap(0, CODE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    handle(kind->handler);
    left = kind->actions;
    kind->run();
}
