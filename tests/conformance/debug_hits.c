// ptrace | 2007 | breakpoints and watchpoints in the debug registers: si_code, si_addr, DR6 and the instruction
//   pointer at a hit, alone, several at once and with a step; who has them
#include "t.h"
static volatile ul w[8] __attribute__((aligned(64)));
static volatile ul other;
static int P, fds[2];
static ul dr(int n) {
    ul v = 0xdead;
    PT(PEEKUSR, P, offsetof(struct user, u_debugreg[n]), (ul)&v);
    return v;
}
static void set(int n, ul v) {
    long r = PT(POKEUSR, P, offsetof(struct user, u_debugreg[n]), v);
    if (r)
        say("dr%d %lx: %s", n, v, R(r));
}
extern char i0[], i1[], i2[], i3[], i4[], i5[], i6[], i7[];
static char *at[] = {i0, i1, i2, i3, i4, i5, i6, i7};
static void block_(void) {
    __asm__ volatile(".globl i0,i1,i2,i3,i4,i5,i6,i7\n"
                     "i0: nop\ni1: nop\ni2: movq $1,%0\ni3: nop\ni4: movb $2,%1\ni5: movq %0,%%rax\ni6: nop\ni7: nop\n"
                     : "+m"(w[0]), "=m"(((char *)w)[9])::"rax", "memory");
}
static void child(void) {
    for (;;) {
        block_();
        selfsig(SIGUSR1);
    }
}
static void go(const char *n, int request) {
    PT(request, P, 0, 0);
    int st = wt(P);
    if (st != 0x57f) {
        say("%s: %s", n, ST(st));
        return;
    }
    siginfo_t s;
    memset(&s, 0, sizeof s);
    PT(GETSIGINFO, P, 0, (ul)&s);
    regs_t r = getregs(P);
    int i = 0;
    while (i < 8 && (ul)at[i] != r.rip)
        i++;
    say("%s: code=%d addr is rip=%d at i%d RF=%d dr6=%lx", n, s.si_code, (ul)s.si_addr == r.rip, i,
        (int)(r.eflags >> 16 & 1), dr(6));
}
static void to(char *where, int rf) {
    regs_t r = getregs(P);
    r.rip = (ul)where;
    r.eflags = (r.eflags & ~0x10000ul) | (ul)rf << 16;
    PT(SETREGS, P, 0, (ul)&r);
}
static void reader(void) {
    say("read: %ld", (long)read(fds[0], (void *)w, 4));
    say("write: %ld", (long)write(fds[1], (void *)w, 4));
    selfsig(SIGUSR1);
    other = w[0];
    selfsig(SIGUSR2);
}
static int thread(void *a) {
    (void)a;
    w[0] = 2;
    SC(SYS_exit, 0);
    return 0;
}
static void family(void) {
    mkthread(thread, 0);
    ms(20);
    int f = fork();
    if (!f) {
        w[0] = 3;
        _exit(0);
    }
    int st = 0;
    SC(SYS_wait4, f, &st, 0, 0);
    say("the forked one: %s", ST(st));
    char *av[] = {self_path, "x", 0};
    execv(self_path, av);
}
static void writer(void) {
    ms(20);
    w[0] = 1;
    _exit(3);
}
static void handler(int s) {
    w[0] = 5;
    (void)s;
}
static void handles(void) {
    onsig(SIGUSR1, handler, 0);
    for (;;) {
        SC(SYS_kill, me(), SIGUSR1);
        SC(SYS_kill, me(), SIGUSR2);
    }
}
int main(int c, char **v) {
    begin(v);
    if (c > 1) {
        w[0] = 1;
        _exit(0);
    }
    P = spawn_traced(child);
    say("-- execution");
    set(0, (ul)i1), set(7, 1);
    for (int i = 0; i < 4; i++)
        go("cont", CONT);
    to(i1, 1);
    go("at it, with RF", CONT);
    to(i1, 0);
    go("at it, without", CONT);
    to(i0, 0);
    for (int i = 0; i < 5; i++)
        go("step", STEP);
    say("-- a write");
    set(7, 0), set(0, (ul)w), set(7, 0x90001), set(6, 0);
    for (int i = 0; i < 3; i++)
        go("cont", CONT);
    to(i1, 0);
    for (int i = 0; i < 3; i++)
        go("step", STEP);
    say("-- a write to one byte of it");
    set(7, 0), set(0, (ul)w + 3), set(7, 0x10001);
    go("cont", CONT), go("cont", CONT);
    say("-- any access");
    set(7, 0), set(0, (ul)w), set(7, 0xb0001);
    for (int i = 0; i < 4; i++)
        go("cont", CONT);
    say("-- several at once");
    set(7, 0), set(2, (ul)i3), set(3, (ul)w + 9), set(7, 0x100900d1);
    to(i2, 0);
    for (int i = 0; i < 4; i++)
        go("cont", CONT);
    to(i2, 0);
    for (int i = 0; i < 5; i++)
        go("step", STEP);
    killw(P);
    say("-- by system calls");
    if (pipe(fds))
        return 1;
    if (write(fds[1], "abcdefgh", 8) != 8)
        return 1;
    P = spawn_traced(reader);
    set(0, (ul)w), set(7, 0xb0001);
    for (int i = 0; i < 4; i++)
        go("cont", CONT);
    say("-- a handler");
    P = spawn_traced(handles);
    set(0, (ul)w), set(7, 0x90001);
    go("cont", CONT);
    PT(CONT, P, 0, SIGUSR1);
    int st = wt(P);
    say("%s dr6=%lx", ST(st), dr(6));
    go("cont", CONT);
    killw(P);
    say("-- others");
    P = spawn_traced(family);
    set(0, (ul)w), set(7, 0x90001);
    PT(SETOPTIONS, P, 0, TO_EXEC | TO_CLONE | TO_FORK);
    PT(CONT, P, 0, 0);
    for (int main = P, n = 0; n < 2; n++) {
        st = wt(main);
        ul m = 0;
        PT(GETEVENTMSG, main, 0, (ul)&m);
        say("%s, new: %s", ST(st), ST(wt(m)));
        P = m;
        say("  dr0=%lx dr7=%lx", dr(0), dr(7));
        P = main;
        PT(CONT, m, 0, 0);
        say("new: %s", ST(wt(m)));
        PT(CONT, main, 0, 0);
    }
    st = wt(P);
    say("%s", ST(st));
    PT(CONT, P, 0, 0);
    st = wt(P);
    say("%s dr0=%lx dr7=%lx", ST(st), dr(0), dr(7));
    PT(CONT, P, 0, 0);
    say("%s", ST(wt(P)));
    say("-- without a tracer");
    P = spawn_traced(writer);
    set(0, (ul)w), set(7, 0x90001);
    PT(DETACH, P, 0, 0);
    say("%s", ST(wt(P)));
    return done();
}
