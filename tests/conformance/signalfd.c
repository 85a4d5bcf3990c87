// signal; Linux 2.6.27+; signalfd: what a read gives, of whom, in which order; poll and epoll; another set; errors.
#include "t.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static int sfd(int fd, ul mask, int fl) {
    return SC(SYS_signalfd4, fd, &mask, 8, fl);
}
#define BIT(s) (1UL << ((s)-1))
static void show(const char *what, int f, int n) {
    struct signalfd_siginfo s[4];
    memset(s, 0xee, sizeof s);
    long r = SC(SYS_read, f, s, n * sizeof *s);
    say("%s: %s", what, R(r));
    for (int i = 0; i < r / (long)sizeof *s; i++)
        say("  %s errno %d code %d pid %s uid %u fd %d tid %u band %u overrun %u status %d int %d ptr %llx addr %llx",
            sg(s[i].ssi_signo), s[i].ssi_errno, s[i].ssi_code, who(s[i].ssi_pid), s[i].ssi_uid, s[i].ssi_fd,
            s[i].ssi_tid, s[i].ssi_band, s[i].ssi_overrun, s[i].ssi_status, s[i].ssi_int,
            (unsigned long long)s[i].ssi_ptr, (unsigned long long)s[i].ssi_addr);
}
static int ready(int f) {
    struct pollfd p = {f, POLLIN | POLLOUT, 0};
    int r = poll(&p, 1, 0);
    return r < 0 ? -errno : p.revents;
}
static int fd;
static char big[128];
static volatile int started;
static int thread(void *p) {
    (void)p;
    started = 1;
    show("the thread reads", fd, 4);
    started = 2;
    SC(SYS_exit, 0);
    return 0;
}
static int woken(void *p) {
    (void)p;
    started = 1;
    show("a waiting thread reads", fd, 1);
    started = 2;
    SC(SYS_exit, 0);
    return 0;
}
static void child(void) {
    SC(SYS_exit_group, 7);
}
int main(int c, char **v) {
    (void)c;
    begin(v);
    sigset_t m;
    sigfillset(&m);
    sigdelset(&m, SIGALRM);
    sigprocmask(SIG_BLOCK, &m, 0);
    ul want = BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(SIGCHLD) | BIT(40) | BIT(41) | BIT(SIGKILL) | BIT(SIGSTOP);
    pr("bad size", SC(SYS_signalfd4, -1, &want, 4, 0));
    pr("bad address", SC(SYS_signalfd4, -1, 8, 8, 0));
    pr("bad flags", SC(SYS_signalfd4, -1, &want, 8, 1));
    pr("bad fd", sfd(99, want, 0));
    pr("no signalfd", sfd(0, want, 0));
    fd = sfd(-1, want, SFD_CLOEXEC);
    say("flags %x cloexec %d", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
    int nb = sfd(-1, want, SFD_NONBLOCK);
    say("flags %x cloexec %d", fcntl(nb, F_GETFL), fcntl(nb, F_GETFD));
    pr("nothing", SC(SYS_read, nb, big, 128));
    pr("short", SC(SYS_read, nb, big, 127));
    pr("write", SC(SYS_write, nb, big, 128));
    pr("lseek", SC(SYS_lseek, nb, 0, 0));
    say("ready %x", ready(nb));
    selfsig(SIGUSR2);
    selfsig(SIGUSR1);
    selfsig(SIGUSR1);
    say("ready %x", ready(nb));
    show("two of three", nb, 4);
    union sigval val = {.sival_int = 77};
    sigqueue(me(), 41, val);
    sigqueue(me(), 40, val);
    val.sival_ptr = (void *)0x123456789abcUL;
    sigqueue(me(), 40, val);
    SC(SYS_tgkill, me(), me(), SIGUSR2);
    show("real-time", nb, 2);
    show("the rest", nb, 4);
    int p = spawn(child);
    role(p, "child");
    siginfo_t si;
    SC(SYS_waitid, P_PID, p, &si, WEXITED | WNOWAIT, 0);
    show("child", fd, 4);
    wt(p);
    selfsig(SIGUSR1);
    ul other = BIT(SIGUSR2);
    pr("another set", sfd(nb, other, 0) == nb ? 0 : -1);
    show("not of the set", nb, 1);
    show("the first has it", fd, 1);
    // to a thread, and to the process
    int t = mkthread(thread, 0);
    while (!started)
        ms(1);
    SC(SYS_tgkill, me(), t, SIGUSR1);
    while (started < 2)
        ms(1);
    started = 0;
    mkthread(woken, 0);
    while (!started)
        ms(1);
    ms(20);
    selfsig(SIGUSR2);
    while (started < 2)
        ms(1);
    // a signal of the thread is not the process's
    SC(SYS_tgkill, me(), me(), SIGUSR1);
    p = fork();
    if (!p) {
        say("child ready %x", ready(fd));
        SC(SYS_exit_group, 0);
    }
    wt(p);
    show("SIGCHLD and own", fd, 4);
    int ep = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = 5};
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
    pr("epoll nothing", SC(SYS_epoll_wait, ep, &e, 1, 0));
    selfsig(SIGUSR1);
    pr("epoll", SC(SYS_epoll_wait, ep, &e, 1, 1000));
    say("events %x data %u", e.events, e.data.u32);
    show("read", fd, 1);
    pr("epoll nothing", SC(SYS_epoll_wait, ep, &e, 1, 0));
    // a blocked reader is interrupted by what is not blocked
    onsig(SIGALRM, (void (*)(int))me, 0);
    struct itimerspec ts = {{0, 0}, {0, 20000000}};
    timer_t tm;
    if (timer_create(CLOCK_MONOTONIC, 0, &tm))
        return 1;
    timer_settime(tm, 0, &ts, 0);
    static char buf[128];
    pr("interrupted", SC(SYS_read, fd, buf, 128));
    return done();
}
