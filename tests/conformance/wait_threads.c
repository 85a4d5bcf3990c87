// ptrace | 2007 | wait with __WNOTHREAD, __WCLONE and __WALL: whose children and tracees, of which exit signal
#include "t.h"
static volatile int go, plain, traced, cloned;
static void quits(void) {
    _exit(5);
}
static int other(void *a) {
    (void)a;
    plain = spawn(quits);
    traced = spawn_traced(quits);
    cloned = SC(SYS_clone, SIGUSR1, 0, 0, 0, 0);
    if (!cloned)
        _exit(6);
    go = 1;
    while (go == 1)
        ms(1);
    int st = 0;
    say("of the thread: %s", R(W4(plain, &st, __WNOTHREAD) == plain ? 0 : -1));
    st = 0;
    long r = W4(traced, &st, __WNOTHREAD | WNOHANG);
    say("its tracee: %s", R(r));
    PT(CONT, traced, 0, 0);
    r = W4(traced, &st, __WNOTHREAD);
    say("its tracee: %d %s", r == traced, ST(st));
    r = W4(cloned, &st, __WNOTHREAD | __WCLONE);
    say("its clone: %d %s", r == cloned, ST(st));
    plain = spawn(quits);
    go = 3;
    SC(SYS_exit, 0);
    return 0;
}
int main(int c, char **v) {
    begin(v);
    onsig(SIGUSR1, SIG_IGN, 0);
    mkthread(other, 0);
    while (go != 1)
        ms(1);
    ms(20);
    int st = 0;
    pr("the thread's child, __WNOTHREAD", W4(plain, &st, __WNOTHREAD | WNOHANG));
    pr("the thread's tracee, __WNOTHREAD", W4(traced, &st, __WNOTHREAD | WNOHANG));
    pr("any, __WNOTHREAD", W4(-1, &st, __WNOTHREAD | WNOHANG));
    pr("any, __WNOTHREAD | __WALL", W4(-1, &st, __WNOTHREAD | __WALL | WNOHANG));
    siginfo_t s;
    pr("waitid, __WNOTHREAD", SC(SYS_waitid, P_ALL, 0, &s, WEXITED | WNOHANG | __WNOTHREAD, 0));
    pr("the clone, without __WCLONE", W4(cloned, &st, WNOHANG));
    pr("the child, with __WCLONE", W4(plain, &st, __WCLONE | WNOHANG));
    say("the clone, with __WALL: %d", SC(SYS_waitid, P_PID, cloned, &s, WEXITED | WNOWAIT | __WALL, 0) == 0 && s.si_pid == cloned);
    memset(&s, 0, sizeof s);
    say("the clone, with __WCLONE: %d", SC(SYS_waitid, P_PID, cloned, &s, WEXITED | WNOWAIT | __WCLONE, 0) == 0 && s.si_pid == cloned);
    memset(&s, 0, sizeof s);
    say("any, with __WCLONE: %d", SC(SYS_waitid, P_ALL, 0, &s, WEXITED | WNOWAIT | __WCLONE, 0) == 0 && s.si_pid == cloned);
    go = 2;
    while (go != 3)
        ms(1);
    ms(30);
    // The thread is gone: its children are its sisters'.
    long r = W4(-1, &st, __WNOTHREAD | WNOHANG);
    say("what the thread left: %d %s", r == plain, ST(st));
    pr("nothing more", W4(-1, &st, __WALL | WNOHANG));
    return done();
}
