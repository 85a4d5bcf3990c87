// ptrace | all | A group-stop of a tracee, and its end, are told to its tracer and to its real parent, if that is
//   another process; neither takes it from the other
#include "t.h"
static int ready[2], go[2];
// What the tracer has to say, which the parent says for it in the end.
static struct {
    int lines;
    char line[16][64];
} *told_tracer;
static void note(const char *name, const char *what) {
    sprintf(told_tracer->line[told_tracer->lines++], "tracer: %s %s", name, what);
}
static void idle(void) {
    dopause();
}
static void give(int *to) {
    if (write(to[1], "x", 1) != 1)
        _exit(9);
}
static void take(int *from) {
    char b;
    if (read(from[0], &b, 1) != 1)
        _exit(9);
}
static volatile int told, code;
static void chld(int s, siginfo_t *i, void *u) {
    told++;
    code = i->si_code;
}
static void tracer(int p) {
    int st;
    note("seize", R(PT(SEIZE, p, 0, 0)));
    give(ready);
    note("signal", ST(wt(p)));
    note("cont", R(PT(CONT, p, 0, SIGSTOP)));
    note("stop", ST(wt(p)));
    note("nothing more", R(W4(p, &st, WNOHANG | __WALL)));
    give(ready);
    take(go);
    note("listen", R(PT(LISTEN, p, 0, 0)));
    give(ready);
    note("continued", ST(wt(p)));
    PT(CONT, p, 0, 0);
    note("signal", ST(wt(p)));
    PT(CONT, p, 0, SIGCONT);
    give(ready);
    note("end", ST(wt(p)));
    _exit(0);
}
int main(int c, char **v) {
    begin(v);
    int st, p;
    told_tracer = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pipe(ready) || pipe(go))
        return 1;
    p = spawn(idle);
    int t = fork();
    if (!t)
        tracer(p);
    struct sigaction a = {.sa_flags = SA_SIGINFO | SA_RESTART};
    a.sa_sigaction = chld;
    sigaction(SIGCHLD, &a, 0);
    take(ready);
    SC(SYS_kill, p, SIGSTOP);
    pr("the parent waits", W4(p, &st, WUNTRACED) == p);
    say("%s", ST(st));
    take(ready);
    say("told %d, %d", told, code);
    pr("nothing more", W4(p, &st, WUNTRACED | WNOHANG));
    give(go);
    take(ready);
    SC(SYS_kill, p, SIGCONT);
    pr("the parent waits", W4(p, &st, WCONTINUED) == p);
    say("%s", ST(st));
    take(ready);
    say("told %d, %d", told, code);
    SC(SYS_kill, p, SIGKILL);
    say("the tracer %s", ST(wt(t)));
    say("the tracee %s", ST(wt(p)));
    for (int i = 0; i < told_tracer->lines; i++)
        say("%s", told_tracer->line[i]);
    return done();
}
