// ptrace | 3.4 | an interrupt that a seized tracee has not acted on yet: any other stop takes it away
#include "t.h"
static int fds[2];
static void reader(void) {
    char c;
    for (;;)
        SC(SYS_read, fds[0], &c, 1);
}
static const char *now(int p) {
    int st;
    ms(8);
    return W4(p, &st, WNOHANG | __WALL) == p ? ST(st) : "nothing";
}
int main(int c, char **v) {
    begin(v);
    pipe(fds);
    int p = spawn(reader);
    ms(20);
    pr("seize", PT(SEIZE, p, 0, 1));
    PT(INTERRUPT, p, 0, 0);
    say("interrupt: %s", now(p));
    PT(SYSCALL, p, 0, 0);
    say("restarted: %s", now(p));
    PT(SYSCALL, p, 0, 0);
    say("in read: %s", now(p));
    PT(INTERRUPT, p, 0, 0);
    say("interrupted in a traced read: %s", now(p));
    PT(SYSCALL, p, 0, 0);
    say("restarted: %s", now(p));
    PT(SYSCALL, p, 0, 0);
    say("in read: %s", now(p));
    PT(INTERRUPT, p, 0, 0);
    say("again: %s", now(p));
    SC(SYS_kill, p, SIGUSR1);
    PT(INTERRUPT, p, 0, 0);
    PT(CONT, p, 0, 0);
    say("both wait: %s", now(p));
    PT(CONT, p, 0, 0);
    say("then: %s", now(p));
    PT(CONT, p, 0, 0);
    say("then: %s", now(p));
    return done();
}
