// ptrace | 2007 | a dead tracee has two readers: its tracer, who is not its parent, and then its parent; a group leader
//   whose threads live is not reported yet
#include "t.h"
static int in[2], out[2], lead[2];
static void sleeps(void) {
    dopause();
}
static int thread(void *a) {
    (void)a;
    dopause();
    return 0;
}
static void leads(void) {
    char c = 0;
    mkthread(thread, 0);
    if (read(lead[0], &c, 1) != 1)
        return;
    SC(SYS_exit, 7);
}
static void sync_(int fd) {
    char c = 0;
    if (write(fd, &c, 1) != 1)
        _exit(1);
}
static void await(int fd) {
    char c = 0;
    if (read(fd, &c, 1) != 1)
        _exit(1);
}
static void look(const char *n, int p, int fl) {
    int st = 0;
    siginfo_t s;
    memset(&s, 0, sizeof s);
    long r = SC(SYS_waitid, P_PID, p, &s, WEXITED | WNOHANG | fl, 0);
    say("%s: %s", n, r ? R(r) : s.si_pid == p ? "there" : "nothing yet");
}
static void run(const char *n, void (*f)(void), int kill_it, int detach) {
    say("-- %s", n);
    if (pipe(in) || pipe(out))
        _exit(1);
    if (pipe(lead))
        _exit(1);
    int p = spawn(f);
    ms(20);
    int t = fork();
    if (!t) {
        pr("tracer: SEIZE", PT(SEIZE, p, 0, 0));
        sync_(out[1]);
        await(in[0]);
        look("tracer", p, WNOWAIT);
        if (detach) {
            pr("tracer: DETACH", PT(DETACH, p, 0, 0));
            _exit(0);
        }
        sync_(out[1]);
        await(in[0]);
        look("tracer", p, 0);
        look("tracer, again", p, 0);
        sync_(out[1]);
        await(in[0]);
        _exit(0);
    }
    await(out[0]);
    if (kill_it)
        SC(SYS_kill, p, SIGKILL);
    sync_(lead[1]);
    ms(50);
    look("parent, before its tracer", p, WNOWAIT);
    sync_(in[1]);
    if (detach) {
        wt(t);
        look("parent", p, 0);
    } else {
        await(out[0]);
        look("parent, still before", p, WNOWAIT);
        sync_(in[1]);
        await(out[0]);
        look("parent, after", p, 0);
        look("parent, again", p, 0);
        sync_(in[1]);
        wt(t);
    }
    SC(SYS_kill, p, SIGKILL);
    int st = 0;
    while (W4(p, &st, __WALL) > 0)
        ;
    close(in[0]), close(in[1]), close(out[0]), close(out[1]), close(lead[0]), close(lead[1]);
}
int main(int c, char **v) {
    begin(v);
    run("killed", sleeps, 1, 0);
    run("killed, and the tracer leaves", sleeps, 1, 1);
    run("alive", sleeps, 0, 0);
    run("a leader without its thread", leads, 0, 0);
    return done();
}
