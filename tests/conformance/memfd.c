// process; Linux 6.7+; memfd_create: seals and what they forbid, shared between processes, run by its descriptor.
#include "t.h"
#include <sys/stat.h>

#define ADD 1033
#define GET 1034
enum { SEAL = 1, SHRINK = 2, GROW = 4, WRITE = 8, FUTURE = 16, EXEC = 32 };
#define M(n, f) SC(SYS_memfd_create, n, f)
static long seal(int f, int s) {
    return SC(SYS_fcntl, f, ADD, s);
}
static long map(int f, int prot, int fl) {
    return sc6(SYS_mmap, 0, 4096, prot, fl, f, 0);
}
static const char *mapped(long r) {
    return r < 0 && r > -4096 ? R(r) : "ok";
}
static int f;
static void runs_it(void) {
    char *a[] = {"prog", "run", 0}, *e[] = {0};
    long r = SC(SYS_execveat, f, "", a, e, AT_EMPTY_PATH);
    say("execveat: %s", R(r));
}
static void runs_path(void) {
    char p[40];
    sprintf(p, "/proc/self/fd/%d", f);
    char *a[] = {"prog", "run", 0}, *e[] = {0};
    long r = SC(SYS_execve, p, a, e);
    say("execve: %s", R(r));
}
int main(int c, char **v) {
    begin(v);
    if (c > 1) {
        char l[64];
        int n = readlink("/proc/self/exe", l, 63);
        l[n < 0 ? 0 : n] = 0;
        say("it runs, as %s", l);
        return 0;
    }
    umask(022);
    struct stat st;
    f = M("x", 2);
    fstat(f, &st);
    say("mode %o links %ld size %ld seals %s flags %x cloexec %d", st.st_mode, (long)st.st_nlink, (long)st.st_size,
        R(SC(SYS_fcntl, f, GET)), fcntl(f, F_GETFL), fcntl(f, F_GETFD));
    int g = M("y", 1);
    pr("of one that is not to be sealed", SC(SYS_fcntl, g, GET));
    pr("seal it", seal(g, GROW));
    say("cloexec %d", fcntl(g, F_GETFD));
    pr("flags", M("x", 0x40));
    char name[400];
    memset(name, 'a', 399);
    name[250] = 0;
    pr("long name", M(name, 0));
    name[249] = 0;
    pr("name", M(name, 0) > 0);
    pr("bad address", M(8, 0));
    if (write(f, "hello", 5) != 5)
        return 1;
    pr("unknown seal", seal(f, 256));
    char *p = (char *)map(f, 3, MAP_SHARED);
    pr("write seal while mapped", seal(f, WRITE));
    pr("grow seal", seal(f, GROW));
    pr("grow", SC(SYS_ftruncate, f, 100));
    pr("write past the end", SC(SYS_pwrite64, f, "x", 1, 5));
    pr("write over the end", SC(SYS_pwrite64, f, "xxxx", 4, 3));
    pr("write within", SC(SYS_pwrite64, f, "xy", 2, 3));
    pr("shrink", SC(SYS_ftruncate, f, 4));
    pr("future write seal", seal(f, FUTURE));
    pr("write", SC(SYS_pwrite64, f, "x", 1, 0));
    p[0] = 'j';
    say("through the mapping: %.4s", p);
    say("map to write: %s", mapped(map(f, 3, MAP_SHARED)));
    long q = map(f, 1, MAP_SHARED);
    say("map to read: %s", mapped(q));
    pr("then to write", SC(SYS_mprotect, q, 4096, 3));
    say("private: %s", mapped(map(f, 3, MAP_PRIVATE)));
    pr("write seal while mapped", seal(f, WRITE));
    munmap(p, 4096);
    pr("write seal", seal(f, WRITE));
    pr("shrink and seal seal", seal(f, SHRINK | SEAL));
    pr("shrink", SC(SYS_ftruncate, f, 1));
    pr("another", seal(f, EXEC));
    pr("seals", SC(SYS_fcntl, f, GET));
    say("map sealed to read: %s", mapped(map(f, 1, MAP_SHARED)));
    char path[40];
    sprintf(path, "/proc/self/fd/%d", f);
    int r = open(path, O_RDONLY);
    pr("seal without the right to write", seal(r, GROW));
    pr("open to cut", SC(SYS_open, path, O_RDWR | O_TRUNC));
    pr("seals of a pipe", SC(SYS_fcntl, 1, GET) < 0 ? 0 : 1);
    int n = M("n", 8);
    fstat(n, &st);
    say("no program: mode %o seals %s", st.st_mode, R(SC(SYS_fcntl, n, GET)));
    pr("make it one", SC(SYS_fchmod, n, 0755));
    pr("other bits", SC(SYS_fchmod, n, 0600));
    n = M("n", 0x12);
    pr("program and seal", seal(n, EXEC));
    pr("seals", SC(SYS_fcntl, n, GET));
    // shared between processes
    int s = M("shared", 0);
    pr("size", SC(SYS_ftruncate, s, 8192));
    volatile int *w = (int *)map(s, 3, MAP_SHARED);
    int pid = fork();
    if (!pid) {
        volatile int *mine = (int *)map(s, 3, MAP_SHARED);
        mine[5] = 55;
        w[6] = 66;
        SC(SYS_exit_group, 0);
    }
    wt(pid);
    int x[2] = {0};
    pr("pread", SC(SYS_pread64, s, x, 8, 20));
    say("%d %d %d %d", w[5], w[6], x[0], x[1]);
    pr("write", SC(SYS_pwrite64, s, "abcd", 4, 20));
    say("%x", w[5]);
    // a program
    f = M("program", 0);
    static char b[65536];
    int i = open("/proc/self/exe", O_RDONLY), k;
    while ((k = read(i, b, sizeof b)) > 0)
        if (write(f, b, k) != k)
            return 1;
    say("while it can be written:");
    wt(spawn(runs_it));
    sprintf(path, "/proc/self/fd/%d", f);
    r = open(path, O_RDONLY);
    close(f);
    f = r;
    wt(spawn(runs_it));
    wt(spawn(runs_path));
    return done();
}
