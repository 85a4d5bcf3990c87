// ptrace | 2025 | PTRACE_SET_SYSCALL_INFO: number, arguments and result of a system call; what is refused
#include "t.h"
enum { SET_SYSCALL_INFO = 0x4212 };
typedef struct {
    unsigned char op, reserved;
    unsigned short flags;
    unsigned arch;
    unsigned long long ip, sp;
    unsigned long long w[8];
} info_t;
static void child(void) {
    say("child: %ld", sc6(SYS_getpid, 1, 2, 3, 4, 5, 6));
    say("child: %ld", sc6(SYS_getpid, 1, 2, 3, 4, 5, 6));
    say("child: %s", R(sc6(SYS_getpid, 1, 2, 3, 4, 5, 6)));
    say("child: %s", R(sc6(SYS_getpid, 1, 2, 3, 4, 5, 6)));
}
static info_t i;
static int to(int p, int nr) {
    for (;;) {
        PT(SYSCALL, p, 0, 0);
        int st = wt(p);
        if (st != 0x857f) {
            say("%s", ST(st));
            return 0;
        }
        if (getregs(p).orig_rax == nr)
            return 1;
    }
}
static void get(int p) {
    memset(&i, 0, sizeof i);
    long r = PT(GET_SYSCALL_INFO, p, sizeof i, (ul)&i);
    say("get: %ld op=%d", r, i.op);
}
static long set(int p, ul size) {
    return PT(SET_SYSCALL_INFO, p, size, (ul)&i);
}
static void regs(int p) {
    regs_t r = getregs(p);
    say("regs: orig=%ld rax=%ld %ld %ld %ld %ld %ld %ld", r.orig_rax, r.rax, r.rdi, r.rsi, r.rdx, r.r10, r.r8,
        r.r9);
}
int main(int c, char **v) {
    begin(v);
    int p = spawn_traced(child);
    PT(SETOPTIONS, p, 0, TO_SYSGOOD);
    memset(&i, 0, sizeof i);
    for (int op = 0; op < 6; op++) {
        i.op = op;
        say("signal stop, op %d: %s", op, R(set(p, sizeof i)));
    }
    to(p, SYS_getpid);
    get(p);
    pr("small", set(p, sizeof i - 1));
    pr("entry's size", set(p, 80));
    pr("0", set(p, 0));
    pr("bad buffer", PT(SET_SYSCALL_INFO, p, sizeof i, 8));
    pr("small and bad", PT(SET_SYSCALL_INFO, p, 8, 8));
    i.reserved = 1;
    pr("reserved", set(p, sizeof i));
    i.reserved = 0, i.flags = 1;
    pr("flags", set(p, sizeof i));
    i.flags = 0;
    for (int op = 0; op < 6; op++)
        if (op != 1) {
            i.op = op;
            say("entry, op %d: %s", op, R(set(p, sizeof i)));
        }
    i.op = 1, i.arch = 7, i.ip = 0, i.sp = 0;
    i.w[0] = 1ul << 32 | SYS_getpid;
    pr("large number", set(p, sizeof i));
    i.w[0] = 1ul << 31;
    pr("2^31", set(p, sizeof i));
    regs(p);
    i.w[0] = SYS_setsid;
    for (int n = 1; n < 7; n++)
        i.w[n] = 100 + n;
    pr("arguments", set(p, sizeof i));
    regs(p);
    i.w[0] = SYS_getuid;
    pr("a larger one", set(p, 4096));
    PT(SYSCALL, p, 0, 0);
    say("%s", ST(wt(p)));
    get(p);
    regs(p);
    i.op = 1;
    pr("exit, op entry", set(p, sizeof i));
    i.op = 2, i.w[0] = 77, i.w[1] = 0;
    pr("exit", set(p, sizeof i));
    regs(p);
    to(p, SYS_getpid);
    get(p);
    i.w[0] = -1ull, i.w[1] = 55;
    pr("no call", set(p, sizeof i));
    regs(p);
    PT(SYSCALL, p, 0, 0);
    say("%s", ST(wt(p)));
    get(p);
    i.w[0] = 88, i.w[1] = 0;
    pr("exit", set(p, sizeof i));
    to(p, SYS_getpid);
    PT(SYSCALL, p, 0, 0);
    say("%s", ST(wt(p)));
    get(p);
    i.w[0] = -ENODEV, *(char *)&i.w[1] = 1;
    pr("an error", set(p, sizeof i));
    regs(p);
    to(p, SYS_getpid);
    PT(SYSCALL, p, 0, 0);
    say("%s", ST(wt(p)));
    get(p);
    i.w[0] = 0, *(char *)&i.w[1] = 1;
    pr("an error of 0", set(p, sizeof i));
    regs(p);
    PT(CONT, p, 0, 0);
    say("%s", ST(wt(p)));
    return done();
}
