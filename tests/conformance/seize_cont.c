// ptrace | 3.4 | SIGCONT and a seized tracee: told by an event-stop whether it was stopped or not, in group-stops
//   and while listening; interrupts at a stop count once
#include "t.h"
static void idle(void) {
    for (;;)
        dopause();
}
static const char *now(int p) {
    int st;
    ms(5);
    return W4(p, &st, WNOHANG | __WALL) == p ? ST(st) : "nothing";
}
int main(int c, char **v) {
    begin(v);
    int p = spawn(idle);
    ms(20);
    pr("seize", PT(SEIZE, p, 0, 0));
    SC(SYS_kill, p, SIGCONT);
    say("CONT to a running one: %s", now(p));
    PT(CONT, p, 0, 0);
    say("then: %s", now(p));
    PT(CONT, p, 0, 0);
    PT(INTERRUPT, p, 0, 0);
    say("interrupt: %s", now(p));
    pr("listen", PT(LISTEN, p, 0, 0));
    SC(SYS_kill, p, SIGCONT);
    say("CONT to a listening one: %s", now(p));
    PT(CONT, p, 0, 0);
    say("then: %s", now(p));
    PT(CONT, p, 0, 0);
    PT(INTERRUPT, p, 0, 0);
    say("interrupt: %s", now(p));
    SC(SYS_kill, p, SIGCONT);
    say("CONT at a stop: %s", now(p));
    PT(CONT, p, 0, 0);
    say("then: %s", now(p));
    PT(CONT, p, 0, 0);
    say("then: %s", now(p));
    PT(CONT, p, 0, 0);
    SC(SYS_kill, p, SIGSTOP);
    say("stop: %s", now(p));
    PT(CONT, p, 0, SIGSTOP);
    say("group: %s", now(p));
    pr("listen", PT(LISTEN, p, 0, 0));
    PT(INTERRUPT, p, 0, 0);
    say("interrupt of a listening one: %s", now(p));
    pr("listen", PT(LISTEN, p, 0, 0));
    SC(SYS_kill, p, SIGCONT);
    say("CONT: %s", now(p));
    PT(CONT, p, 0, 0);
    say("then: %s", now(p));
    PT(CONT, p, 0, 0);
    ms(5);
    PT(INTERRUPT, p, 0, 0);
    PT(INTERRUPT, p, 0, 0);
    say("two interrupts: %s", now(p));
    PT(INTERRUPT, p, 0, 0);
    PT(CONT, p, 0, 0);
    say("a third at the stop: %s", now(p));
    PT(CONT, p, 0, 0);
    say("then: %s", now(p));
    return done();
}
