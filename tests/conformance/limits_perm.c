// process; Linux 5.14+; resource limits: who may set whose, RLIMIT_NPROC at setuid and exec, RLIMIT_NOFILE, RLIMIT_FSIZE,
//   RLIMIT_SIGPENDING.
#include "t.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

static void become(unsigned u) {
    SC(SYS_setgroups, 0, 0);
    SC(SYS_setresgid, u, u, u);
    SC(SYS_setresuid, u, u, u);
}
static long lim(int pid, int what, ul soft, ul hard) {
    ul l[2] = {soft, hard};
    return SC(SYS_prlimit64, pid, what, l, 0);
}
static int victim;
static void sets(void) {
    ul old[2];
    pr("  read", SC(SYS_prlimit64, victim, RLIMIT_CORE, 0, old));
    pr("  same", lim(victim, RLIMIT_CORE, 0, 4096));
    pr("  lower", lim(victim, RLIMIT_CORE, 0, 4096));
    pr("  soft above hard", lim(victim, RLIMIT_CORE, 8192, 4096));
    pr("  unknown", lim(victim, 99, 0, 0));
}
static void as_user(unsigned u) {
    int p = fork();
    if (!p) {
        become(u);
        sets();
        SC(SYS_exit_group, 0);
    }
    wt(p);
}
static void own(void) {
    become(1001);
    pr("unknown", lim(0, 99, 0, 0));
    pr("soft above hard", lim(0, RLIMIT_CORE, 5, 4));
    pr("lower", lim(0, RLIMIT_CORE, 4, 4));
    pr("raise", lim(0, RLIMIT_CORE, 4, 5));
    pr("bad address", SC(SYS_prlimit64, 0, RLIMIT_CORE, 8, 0));
    pr("bad address to tell", SC(SYS_prlimit64, 0, RLIMIT_CORE, 0, 8));
    pr("nobody", lim(4000000, RLIMIT_CORE, 0, 0));
    pr("negative", lim(-5, RLIMIT_CORE, 0, 0));
}
static void files(void) {
    pr("5", lim(0, RLIMIT_NOFILE, 5, 20));
    int a = open("/dev/null", O_RDONLY), p[2] = {-1, -1};
    say("open %d", a);
    pr("pipe", SC(SYS_pipe2, p, 0));
    pr("socketpair", SC(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, p));
    say("%d %d", p[0], p[1]);
    pr("dup", SC(SYS_dup, 0));
    pr("open", SC(SYS_open, "/dev/null", O_RDONLY));
    pr("open what is not there", SC(SYS_open, "/dev/none", O_RDONLY));
    pr("eventfd", SC(SYS_eventfd2, 0, 0));
    pr("epoll", SC(SYS_epoll_create1, 0));
    pr("socket", SC(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
    pr("memfd", SC(SYS_memfd_create, "x", 0));
    pr("dup2 to 5", SC(SYS_dup2, 0, 5));
    pr("dup2 to 4", SC(SYS_dup2, 0, 4));
    pr("dup3 to 5", SC(SYS_dup3, 0, 5, 0));
    pr("F_DUPFD 5", SC(SYS_fcntl, 0, F_DUPFD, 5));
    pr("F_DUPFD 2", SC(SYS_fcntl, 0, F_DUPFD, 2));
    struct pollfd q[6];
    memset(q, 0xff, sizeof q);
    pr("poll 6", SC(SYS_poll, q, 6, 0));
    pr("poll 5", SC(SYS_poll, q, 5, 0));
    pr("0", lim(0, RLIMIT_NOFILE, 0, 20));
    pr("close", SC(SYS_close, 4));
    pr("dup2 onto open", SC(SYS_dup2, 0, 1) == 1 ? 0 : SC(SYS_dup2, 0, 1));
    pr("poll 1", SC(SYS_poll, q, 1, 0));
}
static void size(void) {
    char b[64];
    memset(b, 'x', sizeof b);
    int f = open("/tmp/limits_size", O_RDWR | O_CREAT | O_TRUNC, 0600);
    unlink("/tmp/limits_size");
    onsig(SIGXFSZ, SIG_IGN, 0);
    // standard output may be a file, so nothing is said while the limit holds
    int p[2];
    if (pipe(p))
        return;
    lim(0, RLIMIT_FSIZE, 50, -1UL);
    long r[9] = {SC(SYS_write, f, b, 40), SC(SYS_write, f, b, 40), SC(SYS_write, f, b, 1), SC(SYS_write, f, b, 0),
                 SC(SYS_pwrite64, f, b, 10, 0), SC(SYS_ftruncate, f, 50), SC(SYS_ftruncate, f, 51),
                 SC(SYS_fallocate, f, 0, 0, 51), SC(SYS_write, p[1], b, 60)};
    lim(0, RLIMIT_FSIZE, -1UL, -1UL);
    const char *n[] = {"write", "write", "write", "write nothing", "pwrite within", "ftruncate to 50", "ftruncate to 51", "fallocate 51", "a pipe has none"};
    for (int i = 0; i < 9; i++)
        pr(n[i], r[i]);
    onsig(SIGXFSZ, SIG_DFL, 0);
    lim(0, RLIMIT_FSIZE, 50, -1UL);
    SC(SYS_write, f, b, 1);
    say("not reached");
}
static void queue(void) {
    become(54322);
    union sigval v = {.sival_int = 1};
    block(SIG_BLOCK, SIGUSR1);
    for (int i = 40; i < 45; i++)
        block(SIG_BLOCK, i);
    pr("3", lim(0, RLIMIT_SIGPENDING, 3, 3));
    for (int i = 0; i < 4; i++)
        say("sigqueue: %s", sigqueue(getpid(), 40, v) ? er(errno) : "ok");
    pr("kill", SC(SYS_kill, me(), 41));
    pr("tgkill", SC(SYS_tgkill, me(), me(), 42));
    say("sigqueue of a standard one: %s", sigqueue(getpid(), SIGUSR1, v) ? er(errno) : "ok");
    timer_t t;
    say("timer: %s", timer_create(CLOCK_MONOTONIC, 0, &t) ? er(errno) : "ok");
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, 40);
    siginfo_t si;
    struct timespec now = {0, 0};
    for (int i = 0; i < 2; i++)
        pr("take", SC(SYS_rt_sigtimedwait, &s, &si, &now, 8));
    say("timer: %s", timer_create(CLOCK_MONOTONIC, 0, &t) ? er(errno) : "ok");
    say("sigqueue: %s", sigqueue(getpid(), 40, v) ? er(errno) : "ok");
    say("sigqueue: %s", sigqueue(getpid(), 40, v) ? er(errno) : "ok");
    if (!timer_delete(t))
        say("sigqueue: %s", sigqueue(getpid(), 40, v) ? er(errno) : "ok");
    sigaddset(&s, 41);
    sigaddset(&s, SIGUSR1);
    for (int i = 0; i < 5; i++) {
        memset(&si, 0xee, sizeof si);
        long r = SC(SYS_rt_sigtimedwait, &s, &si, &now, 8);
        say("take: %s code %d pid %s", r > 0 ? sg(r) : R(r), r > 0 ? si.si_code : 0,
            r > 0 ? si.si_pid == getpid() ? "own" : si.si_pid ? "other" : "0" : "-");
    }
}
static void another_user(void) {
    become(54322);
    for (;;)
        SC(SYS_pause);
}
static void nproc(int limit, int others) {
    int k[4];
    for (int i = 0; i < others; i++)
        k[i] = spawn(another_user);
    ms(100);
    int p = fork();
    if (!p) {
        lim(0, RLIMIT_NPROC, limit, limit);
        become(54322);
        int q = fork();
        if (!q)
            SC(SYS_exit_group, 0);
        if (q > 0)
            wt(q);
        say("limit %d, %d others: fork %s", limit, others, q > 0 ? "ok" : er(errno));
        SC(SYS_exit_group, 0);
    }
    wt(p);
    p = fork();
    if (!p) {
        lim(0, RLIMIT_NPROC, limit, limit);
        become(54322);
        char *a[] = {self_path, "nothing", 0}, *e[] = {0};
        long r = SC(SYS_execve, self_path, a, e);
        say("limit %d, %d others: exec %s", limit, others, R(r));
        SC(SYS_exit_group, 0);
    }
    wt(p);
    for (int i = 0; i < others; i++)
        killw(k[i]);
}
static void run(const char *name, void (*f)(void)) {
    say("-- %s", name);
    int st = wt(spawn(f));
    if (st)
        say("  %s", ST(st));
}
int main(int c, char **v) {
    begin(v);
    if (c > 1) {
        say("it runs");
        return 0;
    }
    char copy[] = "/tmp/limits_XXXXXX";
    static char b[65536];
    int o = mkstemp(copy), i = open("/proc/self/exe", O_RDONLY), k;
    while ((k = read(i, b, sizeof b)) > 0)
        if (write(o, b, k) != k)
            return 1;
    fchmod(o, 0755);
    close(o);
    self_path = copy;
    run("its own", own);
    victim = fork();
    if (!victim) {
        lim(0, RLIMIT_CORE, 0, 4096);
        become(1001);
        dopause();
    }
    ms(50);
    say("-- of the same user");
    as_user(1001);
    say("-- of another");
    as_user(1002);
    killw(victim);
    run("RLIMIT_NOFILE", files);
    run("RLIMIT_FSIZE", size);
    run("RLIMIT_SIGPENDING", queue);
    say("-- RLIMIT_NPROC");
    nproc(0, 0);
    nproc(1, 0);
    nproc(2, 0);
    nproc(1, 2);
    nproc(2, 2);
    nproc(3, 2);
    unlink(copy);
    return done();
}
