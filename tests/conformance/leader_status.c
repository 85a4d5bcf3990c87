// process | modern 6.0 | What a process ended with is what its last thread, or whoever ended it, ended with; a
//   leader that was gone before does not count
#include "t.h"
static int last(void *how) {
    ms(100);
    SC(how ? SYS_exit_group : SYS_exit, 3);
    return 0;
}
static int idle(void *unused) {
    dopause();
    return 0;
}
static void one(const char *name, int (*body)(void *), void *arg, int kill) {
    int p = fork(), st;
    siginfo_t i;
    if (!p) {
        mkthread(body, arg);
        SC(SYS_exit, 5);
    }
    ms(30);
    pr("leader gone, WNOHANG", W4(p, &st, WNOHANG));
    if (kill)
        SC(SYS_kill, p, kill);
    memset(&i, 0, sizeof i);
    SC(SYS_waitid, P_PID, p, &i, WEXITED | WNOWAIT, 0);
    say("%s: waitid %d %d", name, i.si_code, i.si_status);
    say("wait4 %s", ST(wt(p)));
}
static void traced(const char *name, int (*body)(void *), void *arg, int kill) {
    int p = fork(), st;
    if (!p) {
        ms(50);
        mkthread(body, arg);
        SC(SYS_exit, 5);
    }
    PT(SEIZE, p, 0, TO_EXIT);
    st = wt(p);
    ul m = 0;
    PT(GETEVENTMSG, p, 0, (ul)&m);
    say("%s: %s, message %lx", name, ST(st), m);
    PT(CONT, p, 0, 0);
    ms(30);
    if (kill)
        SC(SYS_kill, p, kill);
    say("wait4 %s", ST(wt(p)));
}
int main(int c, char **v) {
    begin(v);
    one("killed", idle, 0, SIGKILL);
    one("exit_group of a thread", last, v, 0);
    one("exit of the last thread", last, 0, 0);
    traced("traced, killed", idle, 0, SIGKILL);
    traced("traced, exit_group", last, v, 0);
    traced("traced, exit", last, 0, 0);
    return done();
}
