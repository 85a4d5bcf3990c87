// process; Linux 5.19+; SCM_RIGHTS on connections: what is refused, where a read ends, what has no room, and who keeps what open.
#include "t.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static int s[2], p[2];
static char data[100000];
static union {
    char b[2048];
    ul align;
} ctl;
static struct iovec part;
static struct msghdr m;

static void pair(void) {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
        exit(1);
}
static void unpair(void) {
    close(s[0]);
    close(s[1]);
}
static void prepare(long len) {
    memset(&m, 0, sizeof m);
    part.iov_base = data;
    part.iov_len = len;
    m.msg_iov = &part;
    m.msg_iovlen = 1;
}
// one control message of n words
static void words(int type, int n, const int *w) {
    struct cmsghdr *c = (void *)ctl.b;
    memset(&ctl, 0, sizeof ctl);
    m.msg_control = ctl.b;
    m.msg_controllen = CMSG_SPACE(4 * n);
    c->cmsg_len = CMSG_LEN(4 * n);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = type;
    memcpy(CMSG_DATA(c), w, 4 * n);
}
static long pass(int so, long len, int n, const int *w) {
    prepare(len);
    words(SCM_RIGHTS, n, w);
    return SC(SYS_sendmsg, so, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}
// receives; the descriptors that came are put into got
static int got[300], ngot;
static long take(const char *what, long len, long room, int flags) {
    prepare(len);
    memset(&ctl, 0x55, sizeof ctl);
    m.msg_control = ctl.b;
    m.msg_controllen = room;
    long r = SC(SYS_recvmsg, s[1], &m, flags | MSG_DONTWAIT);
    ngot = 0;
    if (r < 0) {
        say("%s: %s", what, R(r));
        return r;
    }
    struct cmsghdr *c = (void *)ctl.b;
    if (m.msg_controllen >= 16) {
        ngot = (c->cmsg_len - 16) / 4;
        memcpy(got, CMSG_DATA(c), 4 * ngot);
        int ok = 1;
        for (int i = 0; i < ngot; i++)
            ok &= fcntl(got[i], F_GETFD) == (flags & MSG_CMSG_CLOEXEC ? 1 : 0);
        say("%s: %ld flags %x control %ld: len %ld level %d type %d fds %d good %d", what, r, m.msg_flags,
            (long)m.msg_controllen, (long)c->cmsg_len, c->cmsg_level, c->cmsg_type, ngot, ok);
    } else
        say("%s: %ld flags %x control %ld", what, r, m.msg_flags, (long)m.msg_controllen);
    return r;
}
static void shut(void) {
    while (ngot > 0)
        close(got[--ngot]);
}
// whether the pipe still has a writer
static void writer(const char *what) {
    struct pollfd f = {p[0], POLLIN, 0};
    for (int i = 0; i < 100; i++) {
        poll(&f, 1, 0);
        if (f.revents & POLLHUP)
            break;
        if (!strstr(what, "no"))
            break;
        ms(1);
    }
    say("%s: %s", what, f.revents & POLLHUP ? "closed" : "open");
}
static void flush(void) {
    while (SC(SYS_recvfrom, s[1], data, sizeof data, MSG_DONTWAIT, 0, 0) > 0)
        ;
}
static void refused(void) {
    int w[300];
    say("- refused");
    pair();
    for (int i = 0; i < 300; i++)
        w[i] = s[0];
    w[1] = 999;
    pr("bad descriptor", pass(s[0], 1, 2, w));
    w[1] = -1;
    pr("negative", pass(s[0], 1, 2, w));
    w[1] = s[0];
    pr("254", pass(s[0], 1, 254, w));
    pr("253", pass(s[0], 1, 253, w));
    take("253 come", 10, CMSG_SPACE(4 * 253), 0);
    shut();
    prepare(1);
    words(SCM_RIGHTS, 1, w);
    ((struct cmsghdr *)ctl.b)->cmsg_len = 15;
    pr("shorter than its head", SC(SYS_sendmsg, s[0], &m, 0));
    ((struct cmsghdr *)ctl.b)->cmsg_len = 25;
    pr("longer than there is", SC(SYS_sendmsg, s[0], &m, 0));
    ((struct cmsghdr *)ctl.b)->cmsg_len = 20;
    m.msg_controllen = 20;
    pr("without padding", SC(SYS_sendmsg, s[0], &m, 0));
    ((struct cmsghdr *)ctl.b)->cmsg_level = SOL_SOCKET + 1;
    pr("of another level", SC(SYS_sendmsg, s[0], &m, 0));
    ((struct cmsghdr *)ctl.b)->cmsg_level = SOL_SOCKET;
    ((struct cmsghdr *)ctl.b)->cmsg_type = 77;
    pr("of another type", SC(SYS_sendmsg, s[0], &m, 0));
    m.msg_controllen = 15;
    pr("shorter than a head", SC(SYS_sendmsg, s[0], &m, 0));
    m.msg_control = (void *)8;
    m.msg_controllen = 64;
    pr("bad address", SC(SYS_sendmsg, s[0], &m, 0));
    m.msg_controllen = 1 << 30;
    pr("huge", SC(SYS_sendmsg, s[0], &m, 0));
    pr("no descriptor", pass(s[0], 1, 0, w));
    prepare(1);
    m.msg_iovlen = 1025;
    pr("1025 pieces", SC(SYS_sendmsg, s[0], &m, 0));
    pr("1025 pieces to receive", SC(SYS_recvmsg, s[1], &m, 0));
    prepare(1);
    m.msg_name = data;
    pr("a name without length", SC(SYS_sendmsg, s[0], &m, 0));
    m.msg_namelen = 10;
    pr("a name", SC(SYS_sendmsg, s[0], &m, 0));
    int lone = socket(AF_UNIX, SOCK_STREAM, 0);
    w[0] = 999;
    pr("bad descriptor, no connection", pass(lone, 1, 1, w));
    w[0] = lone;
    pr("no connection", pass(lone, 1, 1, w));
    flush();
    close(s[1]);
    pr("no reader", pass(s[0], 1, 1, w));
    close(s[0]);
    close(lone);
}
static void boundaries(void) {
    int w[3];
    say("- boundaries");
    pair();
    if (pipe(p))
        exit(1);
    w[0] = p[1];
    w[1] = p[0];
    w[2] = s[0];
    SC(SYS_write, s[0], "abc", 3);
    pass(s[0], 4, 2, w);
    SC(SYS_write, s[0], "defg", 4);
    take("bytes before and of the message", 100, 200, 0);
    shut();
    take("bytes after it", 100, 200, 0);
    pass(s[0], 4, 2, w);
    SC(SYS_write, s[0], "defg", 4);
    take("a part", 3, 200, 0);
    shut();
    take("the rest and more", 100, 200, 0);
    pass(s[0], 4, 1, w);
    pass(s[0], 4, 3, w);
    take("peek", 100, 200, MSG_PEEK);
    shut();
    take("the same", 100, 200, MSG_CMSG_CLOEXEC);
    shut();
    pr("read", SC(SYS_read, s[1], data, 100));
    SC(SYS_write, s[0], "x", 1);
    pass(s[0], 4, 1, w);
    take("before", 1, 200, 0);
    pr("recv all of two", (pass(s[0], 4, 1, w), SC(SYS_recvfrom, s[1], data, 8, MSG_WAITALL, 0, 0)));
    flush();
    pr("none with the message", pass(s[0], 0, 1, w));
    take("nothing there", 10, 200, 0);
    pass(s[0], 4, 1, w);
    take("no bytes wanted", 0, 200, 0);
    shut();
    take("no bytes wanted again", 0, 200, 0);
    flush();
    take("no bytes wanted, none there", 0, 200, 0);
    pass(s[0], 40000, 1, w);
    take("a large message", 100000, 200, 0);
    shut();
    take("its rest", 100000, 200, 0);
    // two control messages
    prepare(5);
    words(SCM_RIGHTS, 1, w);
    memcpy(ctl.b + CMSG_SPACE(4), ctl.b, CMSG_LEN(4));
    m.msg_controllen = 2 * CMSG_SPACE(4);
    pr("two control messages", SC(SYS_sendmsg, s[0], &m, 0));
    take("are one", 10, 200, 0);
    shut();
    close(p[0]);
    close(p[1]);
    unpair();
}
static void room(void) {
    say("- room");
    pair();
    if (pipe(p))
        exit(1);
    int w[3] = {p[1], p[1], p[1]};
    static const int rooms[] = {0, 15, 16, 19, 20, 23, 24, 25, 28, 32};
    for (unsigned i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        char name[32];
        sprintf(name, "room %d", rooms[i]);
        pass(s[0], 1, 3, w);
        take(name, 1, rooms[i], 0);
        shut();
    }
    pass(s[0], 1, 1, w);
    prepare(1);
    m.msg_controllen = 77;
    m.msg_flags = 0x1234;
    pr("no place", SC(SYS_recvmsg, s[1], &m, 0));
    say("flags %x control %ld", m.msg_flags, (long)m.msg_controllen);
    pass(s[0], 1, 1, w);
    prepare(1);
    m.msg_control = (void *)8;
    m.msg_controllen = 64;
    pr("bad place", SC(SYS_recvmsg, s[1], &m, 0));
    say("flags %x control %ld", m.msg_flags, (long)m.msg_controllen);
    // descriptors are limited
    struct rlimit l, old;
    getrlimit(RLIMIT_NOFILE, &old);
    int low = dup(0);
    close(low);
    l = old;
    l.rlim_cur = low + 2;
    pass(s[0], 1, 3, w);
    setrlimit(RLIMIT_NOFILE, &l);
    take("two fit", 1, 200, 0);
    setrlimit(RLIMIT_NOFILE, &old);
    shut();
    l.rlim_cur = low;
    pass(s[0], 1, 3, w);
    setrlimit(RLIMIT_NOFILE, &l);
    take("none fits", 1, 200, 0);
    setrlimit(RLIMIT_NOFILE, &old);
    close(p[1]);
    writer("no writer is left over");
    close(p[0]);
    unpair();
}
static void holds(void) {
    say("- what is in flight is open");
    pair();
    if (pipe(p))
        exit(1);
    pass(s[0], 1, 1, &p[1]);
    close(p[1]);
    writer("in flight");
    take("received", 1, 200, 0);
    writer("received");
    pr("write", SC(SYS_write, got[0], "hello", 5));
    pr("read", SC(SYS_read, p[0], data, 10));
    pass(s[0], 1, 1, got);
    shut();
    writer("in flight again");
    pr("read(2) drops it", SC(SYS_read, s[1], data, 10));
    writer("no writer");
    close(p[0]);
    if (pipe(p))
        exit(1);
    pass(s[0], 1, 1, &p[1]);
    close(p[1]);
    close(s[0]);
    writer("the sender is gone");
    close(s[1]);
    writer("no receiver");
    close(p[0]);
    // a socket goes through itself
    if (pipe(p))
        exit(1);
    pair();
    pass(s[0], 1, 1, &p[1]);
    pass(s[0], 1, 1, &s[1]);
    pass(s[0], 1, 1, &s[0]);
    close(p[1]);
    close(s[0]);
    writer("a cycle, one owned");
    close(s[1]);
    // Linux looks when it closes any other one
    close(socket(AF_UNIX, SOCK_STREAM, 0));
    writer("a cycle with no owner");
    close(p[0]);
    // each in the other's queue
    if (pipe(p))
        exit(1);
    int t[2];
    pair();
    t[0] = s[0];
    t[1] = s[1];
    pair();
    pass(s[0], 1, 1, &t[1]);
    pass(t[0], 1, 1, &s[1]);
    pass(t[0], 1, 1, &p[1]);
    close(p[1]);
    close(t[0]);
    close(t[1]);
    take("one of two comes back", 1, 200, 0);
    t[1] = got[0];
    writer("it has the pipe");
    s[1] = t[1];
    take("the other", 1, 200, 0);
    shut();
    take("the pipe", 1, 200, 0);
    shut();
    writer("no writer");
    close(p[0]);
}
static void named(void) {
    struct sockaddr_un a = {AF_UNIX, ""};
    sprintf(a.sun_path, "/tmp/scm_rights_%ld", me());
    say("- a server");
    unlink(a.sun_path);
    int l = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(l, (void *)&a, sizeof a);
    listen(l, 5);
    int child = fork();
    if (!child) {
        alarm(15);
        int c = socket(AF_UNIX, SOCK_STREAM, 0), f = open("/", O_RDONLY | O_DIRECTORY);
        if (connect(c, (void *)&a, sizeof a))
            _exit(1);
        _exit(pass(c, 3, 1, &f) != 3);
    }
    say("child: %s", ST(wt(child)));
    s[1] = accept(l, 0, 0);
    take("from who has exited", 10, 200, MSG_CMSG_CLOEXEC);
    struct stat x, y;
    fstat(got[0], &x);
    stat("/", &y);
    say("the directory %d", x.st_ino == y.st_ino && x.st_dev == y.st_dev);
    shut();
    take("then", 10, 200, 0);
    close(s[1]);
    // nobody accepts
    int c = socket(AF_UNIX, SOCK_STREAM, 0);
    connect(c, (void *)&a, sizeof a);
    if (pipe(p))
        exit(1);
    pass(c, 1, 1, &p[1]);
    pass(c, 1, 1, &l);
    close(p[1]);
    close(l);
    close(socket(AF_UNIX, SOCK_STREAM, 0));
    writer("no listener");
    close(c);
    close(p[0]);
    unlink(a.sun_path);
}
int main(int c, char **v) {
    (void)c;
    begin(v);
    refused();
    boundaries();
    room();
    holds();
    named();
    return done();
}
