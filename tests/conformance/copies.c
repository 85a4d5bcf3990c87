// process; Linux 5.19+; sendfile, splice, tee, vmsplice, copy_file_range, preadv2: what they copy, from where to where.
#include "t.h"
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>

static char b[70000];
static int f, g;
static char p1[64], p2[64];
#define SPLICE(i, io, o, oo, n, fl) SC(SYS_splice, i, io, o, oo, n, fl)
#define CFR(i, io, o, oo, n, fl) SC(SYS_copy_file_range, i, io, o, oo, n, fl)
static long pos(int x) {
    return lseek(x, 0, SEEK_CUR);
}
static void empty(int r) {
    int fl = fcntl(r, F_GETFL);
    fcntl(r, F_SETFL, fl | O_NONBLOCK);
    while (read(r, b, sizeof b) > 0)
        ;
    fcntl(r, F_SETFL, fl);
}
int main(int c, char **v) {
    (void)c;
    begin(v);
    strcpy(p1, "/tmp/copies_XXXXXX");
    strcpy(p2, "/tmp/copies_XXXXXX");
    f = mkstemp(p1);
    g = mkstemp(p2);
    for (unsigned i = 0; i < sizeof b; i++)
        b[i] = 'a' + i % 26;
    for (int i = 0; i < 2; i++)
        if (write(f, b, 50000) != 50000)
            return 1;
    int p[2], q[2], s[2];
    if (pipe(p) || pipe(q) || socketpair(AF_UNIX, SOCK_STREAM, 0, s))
        return 1;
    long o = 0, t = 0;
    say("- sendfile");
    pr("to a pipe", SC(SYS_sendfile, p[1], f, &o, 100000));
    say("offset %ld position %ld", o, pos(f));
    empty(p[0]);
    lseek(f, 10, SEEK_SET);
    pr("by position", SC(SYS_sendfile, g, f, 0, 20));
    say("positions %ld %ld", pos(f), pos(g));
    pr("to a socket", SC(SYS_sendfile, s[0], f, 0, 1000));
    pr("behind the end", (o = 100000, SC(SYS_sendfile, g, f, &o, 10)));
    o = -1;
    pr("negative", SC(SYS_sendfile, g, f, &o, 10));
    pr("from a pipe", SC(SYS_sendfile, g, p[0], 0, 10));
    pr("from a directory", SC(SYS_sendfile, g, open("/", O_RDONLY), 0, 10));
    pr("to a directory", SC(SYS_sendfile, open("/", O_RDONLY), f, 0, 10));
    pr("from /dev/zero", SC(SYS_sendfile, g, open("/dev/zero", O_RDONLY), 0, 10));
    pr("to /dev/null", SC(SYS_sendfile, open("/dev/null", O_WRONLY), f, 0, 1000));
    int ap = open(p2, O_WRONLY | O_APPEND), ro = open(p2, O_RDONLY), wo = open(p2, O_WRONLY);
    pr("to append", SC(SYS_sendfile, ap, f, 0, 10));
    pr("to what is read only", SC(SYS_sendfile, ro, f, 0, 10));
    pr("from what is written only", SC(SYS_sendfile, g, wo, 0, 10));
    pr("bad address", SC(SYS_sendfile, g, f, 8, 10));
    say("- splice");
    lseek(f, 0, SEEK_SET);
    pr("file to pipe", SPLICE(f, 0, p[1], 0, 5000, 0));
    o = 99990;
    pr("from an offset", SPLICE(f, &o, p[1], 0, 100, 0));
    say("offset %ld position %ld", o, pos(f));
    t = 7;
    pr("pipe to file", SPLICE(p[0], 0, g, &t, 6000, 0));
    say("offset %ld", t);
    pr("empty, nonblocking", SPLICE(p[0], 0, g, 0, 10, 2));
    if (write(p[1], "0123456789", 10) != 10)
        return 1;
    pr("pipe to pipe", SPLICE(p[0], 0, q[1], 0, 4, 0));
    pr("the rest", read(p[0], b, 100));
    say("%.6s", b);
    pr("pipe to socket", SPLICE(q[0], 0, s[0], 0, 100, 0));
    pr("the same pipe", SPLICE(p[0], 0, p[1], 0, 10, 0));
    pr("no pipe", SPLICE(f, 0, g, 0, 10, 0));
    pr("offset of a pipe", SPLICE(p[0], &o, g, 0, 10, 0));
    pr("offset of a pipe out", SPLICE(f, 0, p[1], &o, 10, 0));
    pr("flags", SPLICE(p[0], 0, g, 0, 10, 0x100));
    pr("nothing", SPLICE(p[0], 0, g, 0, 0, 0));
    pr("nothing of nothing", SPLICE(99, 0, g, 0, 0, 0));
    pr("bad descriptor", SPLICE(99, 0, g, 0, 1, 0));
    pr("the wrong end", SPLICE(p[1], 0, g, 0, 10, 0));
    pr("to append", SPLICE(p[0], 0, ap, 0, 10, 0));
    pr("to what is read only", SPLICE(p[0], 0, ro, 0, 10, 0));
    say("- tee");
    if (write(p[1], "hello", 5) != 5)
        return 1;
    pr("tee", SC(SYS_tee, p[0], q[1], 100, 0));
    pr("copy", read(q[0], b, 100));
    pr("original", read(p[0], b, 100));
    pr("empty, nonblocking", SC(SYS_tee, p[0], q[1], 100, 2));
    pr("the same", SC(SYS_tee, p[0], p[1], 100, 0));
    pr("a file", SC(SYS_tee, f, p[1], 100, 0));
    say("- vmsplice");
    struct iovec w[2] = {{"one", 3}, {"two", 3}};
    pr("to a pipe", SC(SYS_vmsplice, p[1], w, 2, 0));
    char r1[4] = {0}, r2[8] = {0};
    struct iovec rd[2] = {{r1, 2}, {r2, 6}};
    pr("from a pipe", SC(SYS_vmsplice, p[0], rd, 2, 0));
    say("%s %s", r1, r2);
    pr("a file", SC(SYS_vmsplice, f, w, 1, 0));
    pr("flags", SC(SYS_vmsplice, p[1], w, 1, 0x100));
    pr("too many", SC(SYS_vmsplice, p[1], w, 2000, 0));
    say("- copy_file_range");
    lseek(f, 0, SEEK_SET);
    lseek(g, 0, SEEK_SET);
    pr("truncate", ftruncate(g, 0));
    pr("all", CFR(f, 0, g, 0, 200000, 0));
    say("positions %ld %ld size %ld", pos(f), pos(g), lseek(g, 0, SEEK_END));
    o = 10, t = 20;
    pr("offsets", CFR(f, &o, g, &t, 100, 0));
    say("%ld %ld", o, t);
    char x[101] = {0};
    pr("pread", pread(g, x, 10, 20));
    say("%s", x);
    pr("flags", CFR(f, 0, g, 0, 1, 1));
    pr("at the end", CFR(f, 0, g, 0, 10, 0));
    o = 0, t = 50;
    pr("overlapping", CFR(f, &o, f, &t, 100, 0));
    o = 0, t = 200;
    pr("within one file", CFR(f, &o, f, &t, 100, 0));
    pr("a pipe", CFR(p[0], 0, g, 0, 10, 0));
    pr("a directory", CFR(open("/", O_RDONLY), 0, g, 0, 10, 0));
    pr("to append", CFR(f, 0, ap, 0, 10, 0));
    pr("to what is read only", CFR(f, 0, ro, 0, 10, 0));
    pr("from what is written only", CFR(wo, 0, g, 0, 10, 0));
    pr("bad address", CFR(f, 8, g, 0, 10, 0));
    say("- broken pipe");
    onsig(SIGPIPE, SIG_IGN, 0);
    close(p[0]);
    lseek(f, 0, SEEK_SET);
    pr("splice", SPLICE(f, 0, p[1], 0, 100, 0));
    pr("sendfile", SC(SYS_sendfile, p[1], f, 0, 100));
    close(q[1]);
    pr("splice from what has ended", SPLICE(q[0], 0, g, 0, 100, 0));
    say("- preadv2 and pwritev2");
    struct iovec rv = {x, 5}, wv = {"ABCDE", 5};
    pr("truncate", ftruncate(g, 20));
    lseek(g, 3, SEEK_SET);
    pr("pwritev2 at the position", SC(SYS_pwritev2, g, &wv, 1, -1L, -1L, 0));
    say("position %ld", pos(g));
    pr("preadv2 at an offset", SC(SYS_preadv2, g, &rv, 1, 3L, 0L, 0));
    say("%.5s position %ld", x, pos(g));
    pr("append", SC(SYS_pwritev2, g, &wv, 1, 0L, 0L, 0x10));
    say("size %ld", lseek(g, 0, SEEK_END));
    pr("flags", SC(SYS_preadv2, g, &rv, 1, 0L, 0L, 0x8000));
    pr("negative", SC(SYS_preadv2, g, &rv, 1, -2L, -1L, 0));
    pr("a pipe at an offset", SC(SYS_preadv2, q[0], &rv, 1, 0L, 0L, 0));
    pr("a pipe", SC(SYS_preadv2, q[0], &rv, 1, -1L, -1L, 0));
    unlink(p1);
    unlink(p2);
    return done();
}
