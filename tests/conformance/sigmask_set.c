// ptrace | 2013 | PTRACE_GETSIGMASK and SETSIGMASK: sizes, SIGKILL and SIGSTOP dropped, what is unblocked arrives,
//   the mask that a system call has put in place of another
#include "t.h"
static void child(void) {
    block(SIG_BLOCK, SIGUSR1);
    selfsig(SIGUSR1);
    selfsig(SIGSTOP);
    SC(SYS_getpid);
    selfsig(SIGSTOP);
    ul all = -1;
    SC(SYS_rt_sigprocmask, SIG_SETMASK, &all, 0, 8);
    all = ~1ul;
    SC(SYS_rt_sigsuspend, &all, 8);
}
static void show(const char *n, int p) {
    ul m = 7;
    long r = PT(GETSIGMASK, p, 8, (ul)&m);
    if (r)
        pr(n, r);
    else
        say("%s: %lx", n, m);
}
int main(int c, char **v) {
    begin(v);
    int p = spawn_traced(child);
    PT(CONT, p, 0, 0);
    say("%s", ST(wt(p)));
    ul m = 0;
    show("at first", p);
    static const int sizes[] = {0, 4, 7, 8, 9, 16};
    for (int n = 0; n < 6; n++) {
        say("size %d: get %s", sizes[n], R(PT(GETSIGMASK, p, sizes[n], (ul)&m)));
        say("size %d: set %s", sizes[n], R(PT(SETSIGMASK, p, sizes[n], (ul)&m)));
    }
    pr("get, bad buffer", PT(GETSIGMASK, p, 8, 8));
    pr("set, bad buffer", PT(SETSIGMASK, p, 8, 8));
    pr("get, bad size and buffer", PT(GETSIGMASK, p, 4, 8));
    pr("set, bad size and buffer", PT(SETSIGMASK, p, 4, 8));
    m = -1ul;
    pr("set all", PT(SETSIGMASK, p, 8, (ul)&m));
    show("without KILL and STOP", p);
    m = 0;
    pr("unblock", PT(SETSIGMASK, p, 8, (ul)&m));
    PT(CONT, p, 0, 0);
    say("%s", ST(wt(p)));
    show("in between", p);
    PT(CONT, p, 0, 0);
    say("%s", ST(wt(p)));
    PT(CONT, p, 0, 0);
    ms(30);
    pr("running: get", PT(GETSIGMASK, p, 8, (ul)&m));
    pr("running: set", PT(SETSIGMASK, p, 8, (ul)&m));
    SC(SYS_kill, p, SIGHUP);
    say("in sigsuspend: %s", ST(wt(p)));
    show("the mask to come back", p);
    m = 0x200;
    pr("set", PT(SETSIGMASK, p, 8, (ul)&m));
    show("set", p);
    PT(CONT, p, 0, SIGHUP);
    say("%s", ST(wt(p)));
    return done();
}
