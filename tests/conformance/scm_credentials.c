// process; Linux 6.16+; SCM_CREDENTIALS and SO_PASSCRED: who may claim what, who is told, and where a read ends.
#include "t.h"
#include <sys/socket.h>
#include <sys/un.h>

static int s[2];
static char data[1000];
static union {
    char b[256];
    ul align;
} ctl;
static struct iovec part;
static struct msghdr m;
static int mine;

static long claim(int so, int pid, int uid, int gid) {
    struct ucred u = {pid, uid, gid};
    struct cmsghdr *c = (void *)ctl.b;
    memset(&m, 0, sizeof m);
    memset(&ctl, 0, sizeof ctl);
    part.iov_base = data;
    part.iov_len = 2;
    m.msg_iov = &part;
    m.msg_iovlen = 1;
    m.msg_control = ctl.b;
    m.msg_controllen = CMSG_SPACE(sizeof u);
    c->cmsg_len = CMSG_LEN(sizeof u);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_CREDENTIALS;
    memcpy(CMSG_DATA(c), &u, sizeof u);
    return SC(SYS_sendmsg, so, &m, MSG_NOSIGNAL);
}
static void take(const char *what, int so, long len, long room) {
    memset(&m, 0, sizeof m);
    memset(&ctl, 0x55, sizeof ctl);
    part.iov_base = data;
    part.iov_len = len;
    m.msg_iov = &part;
    m.msg_iovlen = 1;
    m.msg_control = room < 0 ? 0 : ctl.b;
    m.msg_controllen = room < 0 ? 0 : room;
    long r = SC(SYS_recvmsg, so, &m, MSG_DONTWAIT);
    if (r < 0 || m.msg_controllen < 16) {
        say("%s: %s flags %x control %ld", what, R(r), r < 0 ? 0 : m.msg_flags, r < 0 ? 0 : (long)m.msg_controllen);
        return;
    }
    struct cmsghdr *c = (void *)ctl.b;
    struct ucred u;
    memcpy(&u, CMSG_DATA(c), sizeof u);
    say("%s: %ld flags %x control %ld: len %ld type %d pid %s uid %x gid %x", what, r, m.msg_flags,
        (long)m.msg_controllen, (long)c->cmsg_len, c->cmsg_type, u.pid == mine ? "mine" : u.pid == 0x55555555 ? "none" : u.pid ? "other" : "0", u.uid, u.gid);
}
static int option(int so) {
    int v = -1;
    socklen_t n = sizeof v;
    getsockopt(so, SOL_SOCKET, SO_PASSCRED, &v, &n);
    return v;
}
static void passing(int so, int v) {
    setsockopt(so, SOL_SOCKET, SO_PASSCRED, &v, sizeof v);
}
static void other(void) {
    if (write(s[0], "other", 5) != 5)
        SC(SYS_exit_group, 1);
}
static void poor(void) {
    SC(SYS_setresgid, 6, 7, 8);
    SC(SYS_setresuid, 3, 4, 5);
    pr("effective ids", claim(s[0], me(), 4, 7));
    pr("saved ids", claim(s[0], me(), 5, 8));
    pr("another uid", claim(s[0], me(), 0, 6));
    pr("another gid", claim(s[0], me(), 3, 0));
    pr("another process", claim(s[0], mine, 3, 6));
    pr("write", SC(SYS_write, s[0], "w", 1));
}
int main(int c, char **v) {
    (void)c;
    begin(v);
    mine = me();
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
        return 1;
    say("- who claims");
    say("option %d", option(s[1]));
    passing(s[1], 5);
    say("option %d, the other end %d", option(s[1]), option(s[0]));
    pr("own", claim(s[0], mine, 0, 0));
    pr("other ids", claim(s[0], mine, 77, 88));
    pr("no process", claim(s[0], 4000000, 0, 0));
    pr("pid 0", claim(s[0], 0, 0, 0));
    pr("pid -1", claim(s[0], -1, 0, 0));
    pr("uid -1", claim(s[0], mine, -1, 0));
    pr("init", claim(s[0], 1, 0, 0));
    memset(&m, 0, sizeof m);
    claim(s[0], mine, 0, 0);
    ((struct cmsghdr *)ctl.b)->cmsg_len = CMSG_LEN(16);
    m.msg_controllen = CMSG_SPACE(16);
    pr("too long", SC(SYS_sendmsg, s[0], &m, 0));
    take("two messages of one", s[1], 3, 200);
    take("another writer", s[1], 100, 200);
    take("init", s[1], 100, 200);
    take("the last", s[1], 100, 200);
    say("- who is told");
    if (write(s[0], "plain", 5) != 5)
        return 1;
    int p = spawn(other);
    say("child: %s", ST(wt(p)));
    take("own bytes", s[1], 100, 200);
    take("the child's", s[1], 2, 200);
    take("its rest", s[1], 100, 200);
    p = spawn(poor);
    say("child: %s", ST(wt(p)));
    take("effective", s[1], 100, 200);
    take("saved", s[1], 100, 200);
    take("real", s[1], 100, 200);
    static const int rooms[] = {-1, 0, 15, 16, 20, 28, 30, 32};
    for (unsigned i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        char name[32];
        sprintf(name, "room %d", rooms[i]);
        if (write(s[0], "x", 1) != 1)
            return 1;
        take(name, s[1], 10, rooms[i]);
    }
    passing(s[1], 0);
    claim(s[0], 1, 77, 88);
    if (write(s[0], "plain", 5) != 5)
        return 1;
    take("nobody asks", s[1], 100, 200);
    if (write(s[0], "plain", 5) != 5)
        return 1;
    claim(s[0], 1, 77, 88);
    passing(s[1], 1);
    take("claimed", s[1], 100, 200);
    take("claimed", s[1], 100, 200);
    passing(s[1], 0);
    passing(s[0], 1);
    if (write(s[0], "plain", 5) != 5)
        return 1;
    passing(s[0], 0);
    passing(s[1], 1);
    take("the writer has asked", s[1], 100, 200);
    // two senders, one waits for all
    claim(s[0], mine, 1, 1);
    claim(s[0], mine, 2, 2);
    pr("all of two", SC(SYS_recvfrom, s[1], data, 4, MSG_WAITALL, 0, 0));
    take("the second", s[1], 100, 200);
    close(s[0]);
    take("the end", s[1], 100, 200);
    close(s[1]);
    say("- a server");
    struct sockaddr_un a = {AF_UNIX, ""};
    sprintf(a.sun_path, "/tmp/scm_credentials_%ld", me());
    unlink(a.sun_path);
    int l = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(l, (void *)&a, sizeof a);
    listen(l, 5);
    passing(l, 1);
    s[0] = socket(AF_UNIX, SOCK_STREAM, 0);
    connect(s[0], (void *)&a, sizeof a);
    if (write(s[0], "plain", 5) != 5)
        return 1;
    s[1] = accept(l, 0, 0);
    say("option %d", option(s[1]));
    take("accepted", s[1], 100, 200);
    unlink(a.sun_path);
    return done();
}
