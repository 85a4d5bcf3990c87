// ptrace | 2012 | PTRACE_O_EXITKILL: the tracer's end kills its tracees, wherever they are; without it they go on
#include "t.h"
static int out[2];
static void spins(void) {
    spin();
}
static void sleeps(void) {
    dopause();
}
static void tell(const char *n, int p) {
    int st = 0;
    long r = W4(p, &st, __WALL);
    say("%s: %s", n, r == p ? ST(st) : R(r));
}
// A tracer that traces its own child's child, which is ours by the death of its parent: we are a subreaper.
static void run(const char *n, void (*f)(void), int how, ul options) {
    if (pipe(out))
        _exit(1);
    int t = fork();
    if (!t) {
        int p = how == 2 ? spawn(f) : spawn_traced(f);
        if (how == 2)
            PT(SEIZE, p, 0, options);
        else
            PT(SETOPTIONS, p, 0, options);
        if (how == 1)
            PT(CONT, p, 0, 0);
        if (how == 3) {
            PT(SYSCALL, p, 0, 0);
            wt(p);
        }
        if (write(out[1], &p, 4) != 4)
            _exit(1);
        ms(10);
        _exit(0);
    }
    int p = 0;
    if (read(out[0], &p, 4) != 4)
        _exit(1);
    tell("tracer", t);
    ms(20);
    int st = 0;
    long r = W4(p, &st, WNOHANG | __WALL);
    say("%s: %s", n, r == p ? ST(st) : r == 0 ? "alive" : R(r));
    if (r == 0) {
        SC(SYS_kill, p, SIGKILL);
        tell("killed", p);
    }
    close(out[0]), close(out[1]);
}
int main(int c, char **v) {
    begin(v);
    SC(SYS_prctl, 36, 1, 0, 0, 0);
    run("at a stop", spins, 0, 0);
    run("at a stop, EXITKILL", spins, 0, TO_EXITKILL);
    run("running, EXITKILL", spins, 1, TO_EXITKILL);
    run("sleeping, EXITKILL", sleeps, 1, TO_EXITKILL);
    run("seized, EXITKILL", sleeps, 2, TO_EXITKILL);
    run("seized", sleeps, 2, 0);
    run("at a system call, EXITKILL", sleeps, 3, TO_EXITKILL);
    run("at a system call", sleeps, 3, 0);
    return done();
}
