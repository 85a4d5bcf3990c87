// process; Linux 3.19+; execveat: directory and descriptor, AT_EMPTY_PATH, symbolic links, scripts, close-on-exec.
#include "t.h"
#include <sys/auxv.h>
#include <sys/stat.h>

static char dir[64];
static int dfd, pfd;
static char *a[] = {"prog", "run", 0}, *e[] = {0};
static long go(int fd, const char *p, int fl) {
    int c = fork();
    if (!c) {
        long r = SC(SYS_execveat, fd, p, a, e, fl);
        say("  %s", R(r));
        SC(SYS_exit_group, 1);
    }
    int st = wt(c);
    if (st != 0x100 && st)
        say("  %s", ST(st));
    return 0;
}
#define T(what, ...)                                                                                                   \
    do {                                                                                                               \
        say("%s", what);                                                                                               \
        go(__VA_ARGS__);                                                                                               \
    } while (0)
int main(int c, char **v) {
    begin(v);
    if (c > 1) {
        const char *fn = (const char *)getauxval(AT_EXECFN);
        int fd = strncmp(fn, "/dev/fd/", 8) == 0;
        const char *t = fd ? strchr(fn + 8, '/') : strrchr(fn, '/');
        say("  runs: %s by %s%s", v[1][0] == '/' ? "script" : v[1], fd ? "/dev/fd/N" : "", t ? t : fd ? "" : fn);
        return 0;
    }
    strcpy(dir, "/tmp/execveat_XXXXXX");
    if (!mkdtemp(dir) || chdir(dir))
        return 1;
    static char b[65536];
    int i = open("/proc/self/exe", O_RDONLY), o = open("prog", O_WRONLY | O_CREAT, 0755), k;
    while ((k = read(i, b, sizeof b)) > 0)
        if (write(o, b, k) != k)
            return 1;
    close(o);
    if (symlink("prog", "link"))
        return 1;
    o = open("script", O_WRONLY | O_CREAT, 0755);
    k = sprintf(b, "#!%s/prog\n", dir);
    if (write(o, b, k) != k)
        return 1;
    close(o);
    dfd = open(".", O_PATH | O_DIRECTORY);
    if (chdir("/"))
        return 1;
    T("absolute", -1, "/proc/self/exe", 0);
    T("in a directory", dfd, "prog", 0);
    T("not there", dfd, "none", 0);
    T("bad directory", 99, "prog", 0);
    T("no directory", i, "prog", 0);
    T("unknown flag", dfd, "prog", 1);
    T("a link", dfd, "link", 0);
    T("a link not followed", dfd, "link", AT_SYMLINK_NOFOLLOW);
    T("empty", dfd, "", 0);
    T("empty, a directory", dfd, "", AT_EMPTY_PATH);
    pfd = openat(dfd, "prog", O_RDONLY);
    T("a descriptor", pfd, "", AT_EMPTY_PATH);
    close(pfd);
    pfd = openat(dfd, "prog", O_PATH);
    T("a path descriptor", pfd, "", AT_EMPTY_PATH);
    close(pfd);
    pfd = openat(dfd, "prog", O_RDONLY | O_CLOEXEC);
    T("one that is closed", pfd, "", AT_EMPTY_PATH);
    close(pfd);
    pfd = openat(dfd, "prog", O_RDWR);
    T("one that can be written", pfd, "", AT_EMPTY_PATH);
    close(pfd);
    T("a script", dfd, "script", 0);
    pfd = openat(dfd, "script", O_RDONLY);
    T("a script's descriptor", pfd, "", AT_EMPTY_PATH);
    close(pfd);
    pfd = openat(dfd, "script", O_RDONLY | O_CLOEXEC);
    T("one that is closed", pfd, "", AT_EMPTY_PATH);
    fchmodat(dfd, "prog", 0644, 0);
    T("not to be executed", dfd, "prog", 0);
    unlinkat(dfd, "prog", 0);
    unlinkat(dfd, "link", 0);
    unlinkat(dfd, "script", 0);
    rmdir(dir);
    return done();
}
