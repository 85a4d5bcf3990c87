// process; Linux 5.19+; SOCK_DGRAM and SOCK_SEQPACKET of AF_UNIX: boundaries, names, peers, full queues, and what is refused.
#include "t.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static char data[300000];
static union {
    char b[256];
    ul align;
} ctl;
static struct sockaddr_un name[3];
static socklen_t len[3];

static void named(int i, int abstract) {
    memset(&name[i], 0, sizeof name[i]);
    name[i].sun_family = AF_UNIX;
    sprintf(name[i].sun_path + abstract, "/tmp/datagrams_%ld_%d", me(), i);
    len[i] = 2 + abstract + strlen(name[i].sun_path + abstract) + !abstract;
}
static long dg(int s, long n) {
    return SC(SYS_sendto, s, data, n, MSG_DONTWAIT, 0, 0);
}
static long to(int s, long n, int i) {
    return SC(SYS_sendto, s, data, n, MSG_DONTWAIT, &name[i], len[i]);
}
// receives with recvmsg: bytes, flags, and which name
static void take(const char *what, int s, long n, int flags) {
    struct iovec part = {data + 100000, n};
    struct sockaddr_un from;
    struct msghdr m = {.msg_name = &from,
                       .msg_namelen = sizeof from,
                       .msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = ctl.b,
                       .msg_controllen = sizeof ctl,
                       .msg_flags = 0x777};
    memset(&from, 0, sizeof from);
    long r = SC(SYS_recvmsg, s, &m, flags | MSG_DONTWAIT);
    if (r < 0) {
        say("%s: %s", what, R(r));
        return;
    }
    const char *w = m.msg_namelen ? "another" : "none";
    for (int i = 0; i < 3; i++)
        if (m.msg_namelen && m.msg_namelen == len[i] && !memcmp(&from, &name[i], len[i]))
            w = i == 0 ? "first" : i == 1 ? "second" : "third";
    say("%s: %ld flags %x control %ld from %s", what, r, m.msg_flags, (long)m.msg_controllen, w);
    if (m.msg_controllen == CMSG_SPACE(4))
        close(*(int *)CMSG_DATA((struct cmsghdr *)ctl.b));
}
static void ready(const char *what, int s) {
    struct pollfd f = {s, POLLIN | POLLOUT | POLLRDHUP, 0};
    poll(&f, 1, 0);
    say("%s: ready %x", what, f.revents);
}
static int option(int s, int o) {
    int v = -1;
    socklen_t n = sizeof v;
    long r = SC(SYS_getsockopt, s, SOL_SOCKET, o, &v, &n);
    return r ? (int)r : v;
}
static void sigpipe(int s) {
    (void)s;
    say("SIGPIPE");
}
static void pairs(int type, const char *what) {
    int s[2], n;
    say("- a pair: %s", what);
    pr("socketpair", SC(SYS_socketpair, AF_UNIX, type, 0, s));
    say("type %d", option(s[0], SO_TYPE));
    ready("new", s[0]);
    take("nothing", s[1], 10, 0);
    pr("three", dg(s[0], 3));
    pr("five", dg(s[0], 5));
    pr("none", dg(s[0], 0));
    pr("two", SC(SYS_write, s[0], "ab", 2));
    n = -1;
    ioctl(s[1], FIONREAD, &n);
    say("unread %d", n);
    ready("some", s[1]);
    take("peek", s[1], 2, MSG_PEEK);
    take("peek whole", s[1], 2, MSG_PEEK | MSG_TRUNC);
    take("three", s[1], 10, 0);
    take("five cut", s[1], 4, 0);
    take("none", s[1], 10, 0);
    pr("read one of two", SC(SYS_read, s[1], data, 1));
    take("nothing", s[1], 10, 0);
    dg(s[0], 5);
    take("whole length", s[1], 2, MSG_TRUNC);
    dg(s[0], 5);
    dg(s[0], 5);
    pr("wait for all", SC(SYS_recvfrom, s[1], data, 10, MSG_WAITALL, 0, 0));
    take("no room", s[1], 0, 0);
    pr("read nothing", SC(SYS_read, s[1], data, 0));
    pr("too long", dg(s[0], 300000));
    pr("bad address", SC(SYS_sendto, s[0], 8, 10, MSG_DONTWAIT, 0, 0));
    // with a descriptor, in an empty message
    struct iovec part = {data, 0};
    struct msghdr m = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = ctl.b, .msg_controllen = CMSG_SPACE(4)};
    struct cmsghdr *c = (void *)ctl.b;
    c->cmsg_len = CMSG_LEN(4);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    *(int *)CMSG_DATA(c) = s[0];
    pr("a descriptor alone", SC(SYS_sendmsg, s[0], &m, 0));
    take("it comes", s[1], 10, 0);
    pr("listen", SC(SYS_listen, s[0], 1));
    pr("accept", SC(SYS_accept, s[0], 0, 0));
    pr("shut", SC(SYS_shutdown, s[0], SHUT_WR));
    pr("send then", dg(s[0], 1));
    ready("the writer", s[0]);
    ready("the reader", s[1]);
    take("the end", s[1], 10, 0);
    pr("back", dg(s[1], 1));
    close(s[1]);
    ready("left alone", s[0]);
    take("what came before", s[0], 10, 0);
    take("and then", s[0], 10, 0);
    close(s[0]);
    SC(SYS_socketpair, AF_UNIX, type, 0, s);
    close(s[1]);
    ready("the other gone", s[0]);
    pr("to nobody", dg(s[0], 1));
    pr("again", dg(s[0], 1));
    take("from nobody", s[0], 10, 0);
    close(s[0]);
    SC(SYS_socketpair, AF_UNIX, type, 0, s);
    n = 1;
    pr("pass credentials", SC(SYS_setsockopt, s[1], SOL_SOCKET, SO_PASSCRED, &n, 4));
    dg(s[0], 1);
    take("with credentials", s[1], 1, 0);
    dg(s[1], 1);
    n = 0;
    SC(SYS_setsockopt, s[1], SOL_SOCKET, SO_PASSCRED, &n, 4);
    n = 1;
    SC(SYS_setsockopt, s[0], SOL_SOCKET, SO_PASSCRED, &n, 4);
    take("the sender has asked", s[0], 1, 0);
    dg(s[1], 3);
    pr("shut to read", SC(SYS_shutdown, s[0], SHUT_RD));
    ready("shut", s[0]);
    ready("its peer", s[1]);
    pr("send to it", dg(s[1], 1));
    take("what was there", s[0], 10, 0);
    take("without waiting", s[0], 10, 0);
    pr("read", SC(SYS_read, s[0], data, 10));
    pr("shut all", SC(SYS_shutdown, s[0], SHUT_RDWR));
    ready("shut all", s[0]);
    pr("shut wrong", SC(SYS_shutdown, s[0], 3));
    close(s[0]);
    close(s[1]);
    SC(SYS_socketpair, AF_UNIX, type, 0, s);
    int k = 0;
    while (k < 20 && dg(s[0], 1) == 1)
        k++;
    say("%d to a peer fit", k);
    ready("and more", s[0]);
    close(s[0]);
    close(s[1]);
}
static void peers(int abstract) {
    say("- names %d", abstract);
    for (int i = 0; i < 3; i++)
        named(i, abstract);
    int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM, 0), c = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un peer;
    socklen_t n = sizeof peer;
    ready("fresh", a);
    pr("no peer", dg(a, 1));
    pr("no peer's name", SC(SYS_getpeername, a, &peer, &n));
    pr("to no name", to(a, 1, 1));
    pr("bind", SC(SYS_bind, b, &name[1], len[1]));
    pr("from no name", to(a, 3, 1));
    take("comes", b, 10, 0);
    pr("bind", SC(SYS_bind, a, &name[0], len[0]));
    pr("from a name", to(a, 4, 1));
    n = sizeof peer;
    pr("recvfrom", SC(SYS_recvfrom, b, data, 10, 0, &peer, &n));
    say("name %d", n == len[0] && !memcmp(&peer, &name[0], n));
    pr("back", to(b, 4, 0));
    take("comes back", a, 10, 0);
    pr("connect", SC(SYS_connect, a, &name[1], len[1]));
    n = sizeof peer;
    pr("the peer's name", SC(SYS_getpeername, a, &peer, &n));
    say("name %d", n == len[1] && !memcmp(&peer, &name[1], n));
    pr("send", dg(a, 6));
    take("comes", b, 10, 0);
    pr("bind", SC(SYS_bind, c, &name[2], len[2]));
    pr("to one with a peer", to(c, 1, 0));
    pr("connect to one with a peer", SC(SYS_connect, c, &name[0], len[0]));
    pr("the peer may", to(b, 1, 0));
    take("comes", a, 10, 0);
    pr("to another than the peer", to(a, 2, 2));
    take("comes", c, 10, 0);
    pr("one's self", to(c, 2, 2));
    take("comes", c, 10, 0);
    int stream = socket(AF_UNIX, SOCK_STREAM, 0);
    pr("a stream connects", SC(SYS_connect, stream, &name[1], len[1]));
    close(stream);
    // full
    int k = 0;
    long r = 0;
    while (k < 50 && (r = to(c, 1, 1)) == 1)
        k++;
    say("%d fit, then %s", k, R(r));
    ready("one without a peer", c);
    pr("connect", SC(SYS_connect, c, &name[1], len[1]));
    ready("one with a full peer", c);
    pr("send", dg(c, 1));
    take("one", b, 10, 0);
    ready("now", c);
    pr("send", dg(c, 1));
    // apart
    struct sockaddr_un none = {AF_UNSPEC, ""};
    pr("disconnect", SC(SYS_connect, c, &none, 2));
    pr("no peer", dg(c, 1));
    pr("shut", SC(SYS_shutdown, b, SHUT_RD));
    pr("to the shut one", to(c, 1, 1));
    take("what was there", b, 10, 0);
    close(b);
    pr("to the closed one", to(c, 1, 1));
    pr("from its peer", dg(a, 1));
    pr("again", dg(a, 1));
    for (int i = 0; i < 3; i++)
        unlink(name[i].sun_path);
    close(a);
    close(c);
}
static void packets(void) {
    say("- packets to a server");
    named(0, 0);
    int l = socket(AF_UNIX, SOCK_SEQPACKET, 0), c = socket(AF_UNIX, SOCK_SEQPACKET, 0), d = socket(AF_UNIX, SOCK_DGRAM, 0);
    pr("not connected", dg(c, 1));
    pr("with a name", to(c, 1, 0));
    take("not connected", c, 1, 0);
    pr("bind", SC(SYS_bind, l, &name[0], len[0]));
    pr("nobody listens", SC(SYS_connect, c, &name[0], len[0]));
    pr("listen", SC(SYS_listen, l, 3));
    pr("a datagram", to(d, 1, 0));
    pr("connect", SC(SYS_connect, c, &name[0], len[0]));
    pr("three", dg(c, 3));
    pr("with a name", to(c, 4, 0));
    int a = accept(l, 0, 0);
    say("type %d", option(a, SO_TYPE));
    take("three", a, 10, 0);
    take("four", a, 10, 0);
    pr("back", dg(a, 5));
    take("back", c, 10, 0);
    dg(a, 5);
    close(a);
    take("before the end", c, 10, 0);
    take("the end", c, 10, 0);
    pr("send", dg(c, 1));
    close(c);
    close(l);
    close(d);
    unlink(name[0].sun_path);
}
// a connection's readiness after shutdown(2), to compare
static void stream(void) {
    say("- a stream");
    int s[2];
    SC(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, s);
    SC(SYS_shutdown, s[0], SHUT_RD);
    ready("shut to read", s[0]);
    ready("its peer", s[1]);
    SC(SYS_shutdown, s[0], SHUT_WR);
    ready("shut all", s[0]);
    ready("its peer", s[1]);
    close(s[0]);
    ready("left alone", s[1]);
    close(s[1]);
}
int main(int c, char **v) {
    (void)c;
    begin(v);
    onsig(SIGPIPE, sigpipe, 0);
    pairs(SOCK_DGRAM, "datagrams");
    pairs(SOCK_SEQPACKET, "packets");
    peers(0);
    peers(1);
    packets();
    stream();
    return done();
}
