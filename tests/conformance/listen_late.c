// ptrace | modern 3.4 | SIGCONT while a tracee is at a stop: PTRACE_LISTEN is followed by the next EVENT_STOP at
//   once, and a stop signal that the tracer delivers stops nobody
#include "t.h"
static void idle(void) {
    dopause();
}
static int stopped_and_seized(void) {
    int p = spawn(idle), st;
    SC(SYS_kill, p, SIGSTOP);
    W4(p, &st, WUNTRACED);
    PT(SEIZE, p, 0, 0);
    say("seized: %s", ST(wt(p)));
    return p;
}
int main(int c, char **v) {
    begin(v);
    int p = stopped_and_seized();
    SC(SYS_kill, p, SIGCONT);
    pr("continued, then listen", PT(LISTEN, p, 0, 0));
    say("%s", ST(wt(p)));
    pr("cont", PT(CONT, p, 0, 0));
    say("%s", ST(wt(p)));
    killw(p);

    p = stopped_and_seized();
    SC(SYS_kill, p, SIGCONT);
    SC(SYS_kill, p, SIGSTOP);
    pr("continued and stopped again, then listen", PT(LISTEN, p, 0, 0));
    say("%s", ST(wt(p)));
    pr("listen", PT(LISTEN, p, 0, 0));
    pr("interrupt", PT(INTERRUPT, p, 0, 0));
    say("%s", ST(wt(p)));
    pr("cont", PT(CONT, p, 0, 0));
    say("%s", ST(wt(p)));
    killw(p);

    p = spawn(idle);
    PT(SEIZE, p, 0, 0);
    SC(SYS_kill, p, SIGSTOP);
    say("signal: %s", ST(wt(p)));
    PT(CONT, p, 0, SIGSTOP);
    say("group-stop: %s", ST(wt(p)));
    SC(SYS_kill, p, SIGCONT);
    pr("continued, then listen", PT(LISTEN, p, 0, 0));
    say("%s", ST(wt(p)));
    pr("cont", PT(CONT, p, 0, 0));
    say("signal: %s", ST(wt(p)));
    killw(p);

    for (int sent = 0; sent < 2; sent++) {
        p = spawn(idle);
        PT(SEIZE, p, 0, 0);
        SC(SYS_kill, p, sent ? SIGUSR1 : SIGSTOP);
        say("signal: %s", ST(wt(p)));
        SC(SYS_kill, p, SIGCONT);
        pr("continued, then stopped by the tracer", PT(CONT, p, 0, SIGSTOP));
        say("%s", ST(wt(p)));
        pr("cont", PT(CONT, p, 0, 0));
        say("signal: %s", ST(wt(p)));
        killw(p);
        p = spawn(idle);
        PT(ATTACH, p, 0, 0);
        wt(p);
        SC(SYS_kill, p, SIGCONT);
        pr("attached: continued, then stopped by the tracer", PT(CONT, p, 0, SIGSTOP));
        say("signal: %s", ST(wt(p)));
        killw(p);
    }
    return done();
}
