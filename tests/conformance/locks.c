// process; Linux 3.15+; fcntl record locks, open file description locks, flock: conflicts, ranges, who loses them when,
//   waiting, interruption, deadlock.
#include "t.h"
#include <sys/file.h>
#include <sys/stat.h>

#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38
#endif
static char path[64];
static long lk(int f, int cmd, int type, int whence, long start, long len) {
    struct flock l = {.l_type = type, .l_whence = whence, .l_start = start, .l_len = len};
    return SC(SYS_fcntl, f, cmd, &l);
}
static void ask(const char *what, int f, int cmd, int type, long start, long len) {
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len, .l_pid = 0};
    long r = SC(SYS_fcntl, f, cmd, &l);
    static const char *t[] = {"read", "write", "none"};
    if (r || l.l_type == F_UNLCK)
        say("%s: %s %s", what, R(r), r ? "" : "none");
    else
        say("%s: %s %s %ld+%ld pid %s", what, R(r), t[l.l_type], (long)l.l_start, (long)l.l_len,
            l.l_pid == -1 ? "-1" : who(l.l_pid));
}
static int f;
// what another process sees of it
static void others(const char *what, long start, long len) {
    int p = fork();
    if (!p) {
        ask(what, f, F_GETLK, F_WRLCK, start, len);
        SC(SYS_exit_group, 0);
    }
    wt(p);
}
static void ranges(void) {
    pr("write 0+10", lk(f, F_SETLK, F_WRLCK, SEEK_SET, 0, 10));
    ask("own do not conflict", f, F_GETLK, F_WRLCK, 0, 0);
    others("another sees", 0, 0);
    pr("read 3+4 in the middle", lk(f, F_SETLK, F_RDLCK, SEEK_SET, 3, 4));
    others("another sees", 0, 0);
    others("in the middle", 4, 1);
    others("behind", 8, 1);
    others("beyond", 10, 1);
    pr("unlock 0+3", lk(f, F_SETLK, F_UNLCK, SEEK_SET, 0, 3));
    others("another sees", 0, 0);
    pr("write 10+5 joins", lk(f, F_SETLK, F_WRLCK, SEEK_SET, 10, 5));
    others("behind", 8, 1);
    pr("to the end", lk(f, F_SETLK, F_WRLCK, SEEK_END, -5, 0));
    others("far away", 1000, 1);
    pr("backwards", lk(f, F_SETLK, F_WRLCK, SEEK_SET, 50, -10));
    others("there", 45, 1);
    lseek(f, 60, SEEK_SET);
    pr("from here", lk(f, F_SETLK, F_RDLCK, SEEK_CUR, 5, 5));
    pr("all unlocked", lk(f, F_SETLK, F_UNLCK, SEEK_SET, 0, 0));
    others("another sees", 0, 0);
    pr("negative", lk(f, F_SETLK, F_WRLCK, SEEK_SET, -1, 5));
    pr("negative end", lk(f, F_SETLK, F_WRLCK, SEEK_SET, 5, -6));
    pr("overflow", lk(f, F_SETLK, F_WRLCK, SEEK_SET, 0x7fffffffffffffff, 2));
    pr("whence", lk(f, F_SETLK, F_WRLCK, 7, 0, 2));
    pr("type", lk(f, F_SETLK, 9, SEEK_SET, 0, 2));
    pr("ask unlock", lk(f, F_GETLK, F_UNLCK, SEEK_SET, 0, 2));
    pr("bad address", SC(SYS_fcntl, f, F_SETLK, 8));
    int r = open(path, O_RDONLY), w = open(path, O_WRONLY), o = open(path, O_PATH);
    pr("write lock to read", lk(r, F_SETLK, F_WRLCK, SEEK_SET, 0, 1));
    pr("read lock to write", lk(w, F_SETLK, F_RDLCK, SEEK_SET, 0, 1));
    pr("a path", lk(o, F_SETLK, F_RDLCK, SEEK_SET, 0, 1));
    pr("nothing", lk(99, F_SETLK, F_RDLCK, SEEK_SET, 0, 1));
    int p[2];
    if (pipe(p))
        return;
    pr("a pipe", lk(p[1], F_SETLK, F_WRLCK, SEEK_SET, 0, 1));
}
static void try(const char *what, int type) {
    int p = fork();
    if (!p) {
        int g = open(path, O_RDWR);
        pr(what, lk(g, F_SETLK, type, SEEK_SET, 0, 1));
        SC(SYS_exit_group, 0);
    }
    wt(p);
}
static void conflicts(void) {
    lk(f, F_SETLK, F_RDLCK, SEEK_SET, 0, 1);
    try("read against read", F_RDLCK);
    try("write against read", F_WRLCK);
    lk(f, F_SETLK, F_WRLCK, SEEK_SET, 0, 1);
    try("read against write", F_RDLCK);
    int d = dup(f);
    close(d);
    try("after closing a duplicate", F_WRLCK);
    lk(f, F_SETLK, F_WRLCK, SEEK_SET, 0, 1);
    d = open(path, O_RDONLY);
    dup2(0, d);
    try("after dup2 over another of the file", F_WRLCK);
    lk(f, F_SETLK, F_WRLCK, SEEK_SET, 0, 1);
    int p = fork();
    if (!p) {
        pr("the child has none", lk(f, F_SETLK, F_WRLCK, SEEK_SET, 0, 1));
        close(f);
        SC(SYS_exit_group, 0);
    }
    wt(p);
    try("and its close takes none", F_WRLCK);
    lk(f, F_SETLK, F_UNLCK, SEEK_SET, 0, 0);
}
static void descriptions(void) {
    int a = open(path, O_RDWR), b = open(path, O_RDWR), c = dup(a);
    pr("of one", lk(a, F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 10));
    pr("of another", lk(b, F_OFD_SETLK, F_WRLCK, SEEK_SET, 5, 10));
    pr("of its duplicate", lk(c, F_OFD_SETLK, F_WRLCK, SEEK_SET, 5, 10));
    ask("asked by another", b, F_OFD_GETLK, F_WRLCK, 0, 0);
    ask("asked by the process", a, F_GETLK, F_WRLCK, 0, 0);
    pr("the process's", lk(a, F_SETLK, F_WRLCK, SEEK_SET, 0, 1));
    struct flock l = {.l_type = F_WRLCK, .l_pid = 1};
    pr("with a pid", SC(SYS_fcntl, b, F_OFD_SETLK, &l));
    close(a);
    pr("one descriptor is left", lk(b, F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 1));
    close(c);
    pr("none is left", lk(b, F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 1));
    ask("the process's lock sees it", f, F_GETLK, F_RDLCK, 0, 0);
    close(b);
}
static void flocks(void) {
    int a = open(path, O_RDWR), b = open(path, O_RDONLY);
    pr("shared", flock(a, LOCK_SH) ? -errno : 0);
    pr("shared", flock(b, LOCK_SH | LOCK_NB) ? -errno : 0);
    pr("exclusive", flock(a, LOCK_EX | LOCK_NB) ? -errno : 0);
    pr("the other exclusive, the first lost its own", flock(b, LOCK_EX | LOCK_NB) ? -errno : 0);
    pr("shared", flock(a, LOCK_SH | LOCK_NB) ? -errno : 0);
    pr("record locks do not meet it", lk(a, F_SETLK, F_WRLCK, SEEK_SET, 0, 1));
    int p = fork();
    if (!p) {
        pr("a child has it too", flock(b, LOCK_EX | LOCK_NB) ? -errno : 0);
        pr("and gives it up", flock(b, LOCK_UN) ? -errno : 0);
        SC(SYS_exit_group, 0);
    }
    wt(p);
    pr("for all", flock(a, LOCK_EX | LOCK_NB) ? -errno : 0);
    pr("operation", flock(a, 3) ? -errno : 0);
    pr("operation of nothing", flock(99, 3) ? -errno : 0);
    pr("nothing", flock(99, LOCK_SH) ? -errno : 0);
    pr("a path", flock(open(path, O_PATH), LOCK_SH) ? -errno : 0);
    int q[2];
    if (pipe(q))
        return;
    pr("a pipe", flock(q[0], LOCK_EX) ? -errno : 0);
    close(a);
    pr("closed", flock(b, LOCK_EX | LOCK_NB) ? -errno : 0);
    close(b);
}
static void nothing(int s) {
    (void)s;
}
static void waits(void) {
    int t[2];
    if (pipe(t))
        return;
    lk(f, F_SETLK, F_WRLCK, SEEK_SET, 0, 1);
    int p = fork();
    if (!p) {
        char c;
        onsig(SIGUSR1, nothing, 0);
        if (write(t[1], "r", 1) != 1)
            return;
        pr("interrupted", lk(f, F_SETLKW, F_WRLCK, SEEK_SET, 0, 1));
        onsig(SIGUSR1, nothing, SA_RESTART);
        if (write(t[1], "r", 1) != 1)
            return;
        pr("restarted, and got", lk(f, F_SETLKW, F_WRLCK, SEEK_SET, 0, 1));
        (void)c;
        SC(SYS_exit_group, 0);
    }
    char c;
    for (int i = 0; i < 2; i++) {
        if (read(t[0], &c, 1) != 1)
            return;
        ms(50);
        kill(p, SIGUSR1);
    }
    ms(50);
    say("unlock");
    lk(f, F_SETLK, F_UNLCK, SEEK_SET, 0, 0);
    wt(p);
    int b = open(path, O_RDWR);
    flock(b, LOCK_EX);
    p = fork();
    if (!p) {
        close(b);
        int g = open(path, O_RDWR);
        pr("flock waited", flock(g, LOCK_EX) ? -errno : 0);
        SC(SYS_exit_group, 0);
    }
    ms(50);
    say("unlock");
    close(b);
    wt(p);
}
static void deadlock(void) {
    int t[2];
    if (pipe(t))
        return;
    lk(f, F_SETLK, F_WRLCK, SEEK_SET, 0, 1);
    int p = fork();
    if (!p) {
        lk(f, F_SETLK, F_WRLCK, SEEK_SET, 1, 1);
        if (write(t[1], "r", 1) != 1)
            return;
        long r = lk(f, F_SETLKW, F_WRLCK, SEEK_SET, 0, 1);
        pr("the first waits and gets", r);
        SC(SYS_exit_group, 0);
    }
    char c;
    if (read(t[0], &c, 1) != 1)
        return;
    ms(50);
    pr("the second", lk(f, F_SETLKW, F_WRLCK, SEEK_SET, 1, 1));
    lk(f, F_SETLK, F_UNLCK, SEEK_SET, 0, 0);
    wt(p);
}
int main(int c, char **v) {
    (void)c;
    begin(v);
    strcpy(path, "/tmp/locks_XXXXXX");
    f = mkstemp(path);
    if (ftruncate(f, 100))
        return 1;
    ranges();
    conflicts();
    descriptions();
    flocks();
    waits();
    deadlock();
    unlink(path);
    return done();
}
