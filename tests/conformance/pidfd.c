// process; Linux 6.13+; pidfd_open, pidfd_send_signal, pidfd_getfd, CLONE_PIDFD, poll and waitid on a pidfd, setns.
#include "t.h"
#include <poll.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#define OPEN 434
#define SEND 424
#define GETFD 438
static void become(unsigned u) {
    SC(SYS_setgroups, 0, 0);
    SC(SYS_setresgid, u, u, u);
    SC(SYS_setresuid, u, u, u);
}
static int ready(int f) {
    struct pollfd p = {f, POLLIN | POLLOUT | POLLHUP, 0};
    int r = poll(&p, 1, 0);
    return r < 0 ? -errno : p.revents;
}
static int tid;
static int thread(void *p) {
    (void)p;
    tid = SC(SYS_gettid);
    for (;;)
        SC(SYS_pause);
}
static int short_thread(void *p) {
    (void)p;
    ms(50);
    SC(SYS_exit, 0);
    return 0;
}
static siginfo_t si;
static void waits(const char *what, int f, int opt) {
    memset(&si, 0, sizeof si);
    long r = SC(SYS_waitid, P_PIDFD, f, &si, opt, 0);
    say("%s: %s pid %s code %d status %d", what, R(r), who(si.si_pid), si.si_code, si.si_status);
}
static void user(void) {
    int f = SC(OPEN, getppid(), 0);
    become(1001);
    pr("a user: open of root's", f > 0 ? 0 : f);
    pr("a user: signal to root's", SC(SEND, f, SIGUSR1, 0, 0));
    pr("a user: check", SC(SEND, f, 0, 0, 0));
    pr("a user: getfd of root's", SC(GETFD, f, 1, 0));
    pr("a user: setns", SC(SYS_setns, f, CLONE_NEWUTS));
    pr("a user: unshare uts", SC(SYS_unshare, CLONE_NEWUTS));
    pr("a user: unshare files", SC(SYS_unshare, CLONE_FILES | CLONE_FS));
    pr("a user: clone newuts", SC(SYS_clone, CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0));
}
int main(int c, char **v) {
    (void)c;
    begin(v);
    int p = fork();
    if (!p)
        dopause();
    role(p, "child");
    int f = SC(OPEN, p, 0);
    say("flags %x cloexec %d ready %x", fcntl(f, F_GETFL), fcntl(f, F_GETFD), ready(f));
    pr("open 0", SC(OPEN, 0, 0));
    pr("open -1", SC(OPEN, -1, 0));
    pr("open unknown flags", SC(OPEN, p, 1));
    pr("open nobody", SC(OPEN, 4000000, 0));
    pr("getfd bad", SC(GETFD, f, 99, 0));
    pr("getfd flags", SC(GETFD, f, 1, 1));
    pr("getfd of no pidfd", SC(GETFD, 1, 1, 0));
    pr("getfd of nothing", SC(GETFD, 99, 1, 0));
    int g = SC(GETFD, f, 1, 0);
    say("getfd: %s cloexec %d", g > 2 ? "ok" : R(g), fcntl(g, F_GETFD));
    pr("signal with unknown flags", SC(SEND, f, 0, 0, 8));
    pr("signal with two flags", SC(SEND, f, 0, 0, 3));
    pr("signal 0", SC(SEND, f, 0, 0, 0));
    pr("signal 65", SC(SEND, f, 65, 0, 0));
    pr("signal through no pidfd", SC(SEND, 1, 0, 0, 0));
    memset(&si, 0, sizeof si);
    si.si_signo = SIGUSR1;
    pr("as kill", SC(SEND, f, SIGUSR1, &si, 0));
    si.si_code = SI_QUEUE;
    pr("another number", SC(SEND, f, SIGUSR2, &si, 0));
    pr("bad address", SC(SEND, f, SIGUSR1, 8, 0));
    waits("wait, nothing yet", f, WEXITED | WNOHANG);
    pr("SIGSTOP", SC(SEND, f, SIGSTOP, 0, 0));
    waits("wait for the stop", f, WSTOPPED);
    pr("to its group", SC(SEND, f, 0, 0, 4));
    pr("SIGKILL", SC(SEND, f, SIGKILL, 0, 0));
    struct pollfd q = {f, POLLIN, 0};
    pr("poll", poll(&q, 1, 5000));
    say("ready %x", ready(f));
    pr("signal to the dead", SC(SEND, f, SIGUSR1, 0, 0));
    pr("getfd of the dead", SC(GETFD, f, 1, 0));
    int z = SC(OPEN, p, 0);
    say("open of the dead: %s, ready %x", z > 0 ? "ok" : R(z), ready(z));
    waits("wait and keep", f, WEXITED | WNOWAIT);
    waits("wait", f, WEXITED);
    say("ready %x", ready(f));
    waits("wait again", f, WEXITED);
    pr("signal to the reaped", SC(SEND, f, SIGUSR1, 0, 0));
    pr("getfd of the reaped", SC(GETFD, f, 1, 0));
    waits("wait bad fd", 99, WEXITED);
    waits("wait -1", -1, WEXITED);
    waits("wait no pidfd", 1, WEXITED);
    waits("wait no events", f, 0);
    int self = SC(OPEN, me(), 0);
    waits("wait self", self, WEXITED);
    pr("setns of no pidfd", SC(SYS_setns, 1, 0));
    pr("setns bad", SC(SYS_setns, 99, 0));
    pr("setns of nothing", SC(SYS_setns, self, 0));
    pr("setns junk", SC(SYS_setns, self, 1));
    int t = mkthread(thread, 0);
    while (!tid)
        ms(1);
    pr("open a thread", SC(OPEN, t, 0));
    int tf = SC(OPEN, t, O_EXCL);
    say("open a thread as one: flags %x ready %x", fcntl(tf, F_GETFL), ready(tf));
    t = mkthread(short_thread, 0);
    tf = SC(OPEN, t, O_EXCL);
    q.fd = tf;
    pr("poll a thread", poll(&q, 1, 5000));
    pr("signal to it", SC(SEND, tf, 0, 0, 0));
    p = fork();
    if (!p) {
        ms(100);
        SC(SYS_exit_group, 3);
    }
    role(p, "second");
    int nf = SC(OPEN, p, O_NONBLOCK);
    waits("nonblocking", nf, WEXITED);
    waits("nonblocking, WNOHANG", nf, WEXITED | WNOHANG);
    q.fd = nf;
    poll(&q, 1, 5000);
    waits("nonblocking, dead", nf, WEXITED);
    char b[8];
    pr("read", SC(SYS_read, nf, b, 8));
    pr("write", SC(SYS_write, nf, b, 8));
    int x = -1;
    p = SC(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &x, 0, 0);
    if (!p)
        SC(SYS_exit_group, 4);
    role(p, "cloned");
    say("CLONE_PIDFD: %s cloexec %d", x > 2 ? "ok" : R(x), fcntl(x, F_GETFD));
    waits("wait", x, WEXITED);
    pr("with CLONE_PARENT_SETTID", SC(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &x, 0, 0));
    pr("bad address", SC(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, 8, 0, 0));
    pr("detached", SC(SYS_clone, CLONE_PIDFD | 0x400000 | SIGCHLD, 0, &x, 0, 0));
    ul a[11] = {CLONE_PIDFD | CLONE_PARENT_SETTID, (ul)&x, 0, (ul)&tid, SIGCHLD};
    tid = 0, x = -1;
    p = SC(435, a, 64);
    if (!p)
        SC(SYS_exit_group, 5);
    role(p, "clone3");
    say("clone3: %s tid %s", x > 2 ? "ok" : R(x), who(tid));
    waits("wait", x, WEXITED);
    wt(spawn(user));
    return done();
}
