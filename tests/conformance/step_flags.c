// ptrace | 2007 | single steps over pushf, popf, int3, ud2 and system calls, into a handler and out of
//   it; the trap flag that a program or a tracer sets shows, the step's own does not
#include "t.h"
static ul base;
static int P;
#define CODE(name, text)                                                                                     \
    static void name(void) {                                                                                 \
        __asm__ volatile(".globl " #name "_0\n" #name "_0:\n" text);                                         \
        SC(SYS_exit_group, 0);                                                                               \
    }                                                                                                        \
    extern char name##_0[];
CODE(pushes, "pushfq\n popq %rax\n nop\n nop\n")
CODE(pops, "pushfq\n popfq\n nop\n nop\n nop\n")
CODE(own, "pushfq\n orq $0x100,(%rsp)\n popfq\n nop\n nop\n pushfq\n andq $~0x100,(%rsp)\n popfq\n nop\n nop\n")
CODE(calls, "movl $39,%eax\n syscall\n nop\n movl $-1,%eax\n syscall\n nop\n")
CODE(traps, "nop\n int3\n nop\n nop\n")
CODE(undefined, "nop\n ud2\n nop\n")
static void show(const char *n, int request) {
    PT(request, P, 0, 0);
    int st = wt(P);
    if (!WIFSTOPPED(st)) {
        say("%s: %s", n, ST(st));
        return;
    }
    siginfo_t s;
    memset(&s, 0, sizeof s);
    PT(GETSIGINFO, P, 0, (ul)&s);
    regs_t r = getregs(P);
    long d = r.rip - base;
    ul top = 0;
    peek(P, r.rsp, &top);
    say("%s: %s code=%d addr is rip=%d at %ld TF=%d", n, ST(st), s.si_code, (ul)s.si_addr == r.rip,
        d < 0 || d > 99 ? -1 : d, !!(r.eflags & 0x100));
}
static void start(const char *n, void (*f)(void), char *at) {
    say("-- %s", n);
    base = (ul)at;
    P = spawn_traced(f);
    regs_t r = getregs(P);
    r.rip = base;
    r.rsp -= 256;
    PT(SETREGS, P, 0, (ul)&r);
}
static void steps(const char *n, void (*f)(void), char *at, int count) {
    start(n, f, at);
    while (count--)
        show("step", STEP);
    regs_t r = getregs(P);
    say("pushed: TF=%d", !!(r.rax & 0x100));
    show("cont", CONT);
    killw(P);
}
static volatile int ran;
static void h(int s) {
    ran = s;
}
static void handles(void) {
    onsig(SIGUSR1, h, 0);
    onsig(SIGUSR2, h, 0);
    for (;;) {
        SC(SYS_kill, me(), SIGUSR1);
        SC(SYS_kill, me(), SIGUSR2);
    }
}
int main(int c, char **v) {
    begin(v);
    steps("pushf", pushes, pushes_0, 3);
    steps("popf of what pushf pushed", pops, pops_0, 4);
    steps("a flag of its own", own, own_0, 10);
    start("a flag of its own, free", own, own_0);
    for (int i = 0; i < 6; i++)
        show("cont", CONT);
    steps("system calls", calls, calls_0, 6);
    steps("int3", traps, traps_0, 4);
    start("ud2", undefined, undefined_0);
    show("step", STEP);
    show("step", STEP);
    killw(P);
    say("-- the tracer's flag");
    start("set", pushes, pushes_0);
    regs_t r = getregs(P);
    r.eflags |= 0x100;
    PT(SETREGS, P, 0, (ul)&r);
    say("TF=%d", !!(getregs(P).eflags & 0x100));
    show("cont", CONT);
    show("cont", CONT);
    r = getregs(P);
    r.eflags &= ~0x100ul;
    PT(SETREGS, P, 0, (ul)&r);
    show("step", STEP);
    show("cont", CONT);
    say("-- a handler");
    P = spawn_traced(handles);
    base = (ul)h;
    show("cont", CONT);
    PT(STEP, P, 0, SIGUSR1);
    say("%s", ST(wt(P)));
    r = getregs(P);
    say("at its first instruction=%d TF=%d", r.rip == base, !!(r.eflags & 0x100));
    siginfo_t s;
    memset(&s, 0, sizeof s);
    PT(GETSIGINFO, P, 0, (ul)&s);
    say("code=%d pid=%s", s.si_code, s.si_pid == P ? "its own" : "another");
    ul m = 9;
    PT(GETEVENTMSG, P, 0, (ul)&m);
    say("message=%ld", m);
    ul flags = 0;
    peek(P, r.rsp + 8 + 40 + 17 * 8, &flags);
    say("in its frame: TF=%d", !!(flags & 0x100));
    for (int i = 0; i < 100; i++) {
        PT(STEP, P, 0, 0);
        int st = wt(P);
        r = getregs(P);
        if (st != 0x57f) {
            say("%s", ST(st));
            break;
        }
        memset(&s, 0, sizeof s);
        PT(GETSIGINFO, P, 0, (ul)&s);
        if (s.si_code != 2) {
            say("code=%d addr is rip=%d TF=%d", s.si_code, (ul)s.si_addr == r.rip, !!(r.eflags & 0x100));
            break;
        }
    }
    show("cont", CONT);
    killw(P);
    return done();
}
