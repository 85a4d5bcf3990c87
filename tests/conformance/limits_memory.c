// memory; Linux 6.8+; RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK, RLIMIT_STACK: what they refuse, mlock and its relatives,
//   mincore, how many arguments execve takes.
#include "t.h"
#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
static void become(unsigned u) {
    SC(SYS_setgroups, 0, 0);
    SC(SYS_setresgid, u, u, u);
    SC(SYS_setresuid, u, u, u);
}
static long lim(int what, ul soft, ul hard) {
    ul l[2] = {soft, hard};
    return SC(SYS_prlimit64, 0, what, l, 0);
}
static long map(long addr, long pages, int prot, int flags) {
    return SC(SYS_mmap, addr, pages * PAGE, prot, flags, -1, 0);
}
static void prm(const char *what, long r) {
    say("%s: %s", what, r < 0 && r > -4096 ? er(r) : "ok");
}
// a number of kB in /proc/self/status
static long status(const char *field) {
    char b[4096], *at;
    int fd = open("/proc/self/status", O_RDONLY);
    int n = read(fd, b, sizeof b - 1);
    close(fd);
    b[n > 0 ? n : 0] = 0;
    at = strstr(b, field);
    return at ? atol(at + strlen(field)) : -1;
}
static void in(void (*f)(void)) {
    int p = fork();
    if (!p) {
        f();
        SC(SYS_exit_group, 0);
    }
    say(" end: %s", ST(wt(p)));
}
static void data(void) {
    ul brk = SC(SYS_brk, 0);
    lim(RLIMIT_DATA, status("VmData:") * 1024 + 64 * PAGE, RLIM_INFINITY);
    prm("data: much", map(0, 1024, RW, ANON));
    prm("data: much, read-only", map(0, 1024, PROT_READ, ANON));
    prm("data: much, shared", map(0, 1024, RW, MAP_SHARED | MAP_ANONYMOUS));
    prm("data: much, stack", map(0, 1024, RW, ANON | MAP_GROWSDOWN));
    long m = map(0, 1024, PROT_READ, ANON);
    prm("data: becomes data", SC(SYS_mprotect, m, 1024 * PAGE, RW));
    prm("data: becomes code", SC(SYS_mprotect, m, 1024 * PAGE, PROT_READ | PROT_EXEC));
    prm("data: little", map(0, 4, RW, ANON));
    say("data: brk moved %d", (ul)SC(SYS_brk, brk + 1024 * PAGE) != brk);
    m = map(0, 1, RW, ANON);
    prm("data: mremap", SC(SYS_mremap, m, PAGE, 1024 * PAGE, MREMAP_MAYMOVE));
    lim(RLIMIT_DATA, 0, RLIM_INFINITY);
    prm("data: none is the hard limit", map(0, 1024, RW, ANON));
    say("data: but brk moved %d", (ul)SC(SYS_brk, brk + PAGE) != brk);
}
static void space(void) {
    lim(RLIMIT_AS, status("VmSize:") * 1024 + 256 * PAGE, RLIM_INFINITY);
    prm("space: much", map(0, 1024, PROT_READ, ANON));
    prm("space: nothing, but much", map(0, 1024, PROT_NONE, ANON | MAP_NORESERVE));
    long m = map(0, 200, PROT_READ, ANON);
    prm("space: some", m);
    prm("space: in its place", map(m, 200, RW, ANON | MAP_FIXED));
    prm("space: mremap", SC(SYS_mremap, m, PAGE, 1024 * PAGE, MREMAP_MAYMOVE));
    ul brk = SC(SYS_brk, 0);
    say("space: brk moved %d", (ul)SC(SYS_brk, brk + 1024 * PAGE) != brk);
    lim(RLIMIT_AS, 0, RLIM_INFINITY);
    prm("space: none left", map(0, 1, PROT_READ, ANON));
    prm("space: less", SC(SYS_munmap, m, PAGE));
}
static void locks(void) {
    char *m = (char *)map(0, 64, RW, ANON);
    say("locked %ld", status("VmLck:"));
    pr("mlock", SC(SYS_mlock, m + 5, PAGE));
    say("locked %ld", status("VmLck:"));
    pr("again", SC(SYS_mlock, m, PAGE));
    say("locked %ld", status("VmLck:"));
    pr("too much", SC(SYS_mlock, m, 17 * PAGE));
    say("locked %ld", status("VmLck:"));
    pr("as much", SC(SYS_mlock, m, 16 * PAGE));
    pr("a part of it again", SC(SYS_mlock, m + 4 * PAGE, 2 * PAGE));
    pr("one more", SC(SYS_mlock, m + 20 * PAGE, PAGE));
    pr("no length", SC(SYS_mlock, m + 20 * PAGE, 0));
    pr("overflow", SC(SYS_mlock, m + 20 * PAGE, -1));
    pr("end", SC(SYS_mlock, m, -2 * PAGE));
    pr("munlock overflow", SC(SYS_munlock, m + 20 * PAGE, -1));
    pr("dontneed", SC(SYS_madvise, m, PAGE, MADV_DONTNEED));
    pr("dontneed behind", SC(SYS_madvise, m + 30 * PAGE, PAGE, MADV_DONTNEED));
    pr("free", SC(SYS_madvise, m, PAGE, MADV_FREE));
    pr("invalidate", SC(SYS_msync, m, PAGE, MS_INVALIDATE));
    pr("sync", SC(SYS_msync, m, PAGE, MS_SYNC));
    prm("map locked", map(0, 1, RW, ANON | MAP_LOCKED));
    prm("move it", SC(SYS_mremap, m, 4 * PAGE, 30 * PAGE, MREMAP_MAYMOVE));
    pr("munlock", SC(SYS_munlock, m, 8 * PAGE));
    say("locked %ld", status("VmLck:"));
    prm("map locked", map(0, 8, RW, ANON | MAP_LOCKED));
    prm("map locked", map(0, 1, RW, ANON | MAP_LOCKED));
    int p = fork();
    if (!p) {
        say("child has locked %ld", status("VmLck:"));
        SC(SYS_exit_group, 0);
    }
    wt(p);
    pr("munmap", SC(SYS_munmap, m, 12 * PAGE));
    say("locked %ld", status("VmLck:"));
    pr("mlockall", SC(SYS_mlockall, MCL_CURRENT));
    pr("mlockall of what comes", SC(SYS_mlockall, MCL_FUTURE));
    prm("small", map(0, 4, RW, ANON));
    prm("large", map(0, 32, RW, ANON));
    ul brk = SC(SYS_brk, 0);
    say("brk moved %d", (ul)SC(SYS_brk, brk + 32 * PAGE) != brk);
    pr("munlockall", SC(SYS_munlockall));
    say("locked %ld", status("VmLck:"));
    prm("large", map(0, 32, RW, ANON));
    char *none = (char *)map(0, 2, PROT_NONE, ANON);
    pr("mlock of what cannot be read", SC(SYS_mlock, none, PAGE));
    say("locked %ld", status("VmLck:"));
    none = (char *)map(0, 3, RW, ANON);
    SC(SYS_munmap, none + PAGE, PAGE);
    pr("mlock up to a hole", SC(SYS_mlock, none, 3 * PAGE));
    say("locked %ld", status("VmLck:"));
    pr("flags", SC(SYS_mlock2, m, PAGE, 2));
}
static void locks_of_user(void) {
    lim(RLIMIT_MEMLOCK, 16 * PAGE, 16 * PAGE);
    become(1000);
    locks();
}
static void no_locks(void) {
    lim(RLIMIT_MEMLOCK, 0, 0);
    char *m = (char *)map(0, 64, RW, ANON);
    pr("root with no limit to speak of", SC(SYS_mlock, m, 64 * PAGE));
    become(1000);
    pr("mlock", SC(SYS_mlock, m, PAGE));
    pr("mlock nothing", SC(SYS_mlock, m, 0));
    pr("mlock2 flags", SC(SYS_mlock2, m, PAGE, 8));
    pr("mlockall", SC(SYS_mlockall, MCL_CURRENT));
    pr("mlockall flags", SC(SYS_mlockall, 8));
    pr("mlockall on fault", SC(SYS_mlockall, MCL_ONFAULT));
    prm("map", map(0, 1, RW, ANON | MAP_LOCKED));
    pr("munlock", SC(SYS_munlock, m, PAGE));
    pr("munlockall", SC(SYS_munlockall));
}
static void core_of_presence(void) {
    unsigned char v[8];
    char *m = (char *)map(0, 8, RW, ANON);
    m[PAGE] = 1;
    (void)*(volatile char *)(m + 3 * PAGE);
    pr("mincore", SC(SYS_mincore, m, 6 * PAGE, v));
    for (int i = 0; i < 6; i++)
        say(" %d: %d", i, v[i] & 1);
    memset(v, 7, 8);
    SC(SYS_munmap, m + 2 * PAGE, PAGE);
    pr("mincore up to a hole", SC(SYS_mincore, m, 4 * PAGE, v));
    say(" %d %d %d", v[0], v[1], v[2]);
    pr("unaligned", SC(SYS_mincore, m + 1, PAGE, v));
    pr("no length", SC(SYS_mincore, m, 0, v));
    pr("part of a page", SC(SYS_mincore, m, 1, v));
    pr("bad vector", SC(SYS_mincore, m, PAGE, 8));
    pr("beyond", SC(SYS_mincore, m, -1L, v));
    m = (char *)map(0, 4, RW, ANON | MAP_POPULATE);
    pr("populated", SC(SYS_mincore, m, 4 * PAGE, v));
    say(" %d %d", v[0], v[3]);
}
static char word[4096];
static long words(int count, int length, const char *program) {
    static char *list[4000];
    memset(word, 'x', sizeof word);
    word[length] = 0;
    for (int i = 0; i < count; i++)
        list[i] = word;
    list[count] = 0;
    char *env[] = {0};
    return SC(SYS_execve, program, list, env);
}
static void arguments(void) {
    static char longest[131073];
    char *env[] = {0}, *one[] = {"x", longest, 0};
    lim(RLIMIT_STACK, 64 * 1024, RLIM_INFINITY);
    pr("no program, too much", words(3000, 4000, "/none"));
    pr("no path, too much", words(3000, 4000, ""));
    pr("a directory, too much", words(3000, 4000, "/"));
    pr("bad list", SC(SYS_execve, self_path, 8, env));
    pr("bad list of no program", SC(SYS_execve, "/none", 8, env));
    pr("bad string", SC(SYS_execve, self_path, ((char *[]){(char *)8, 0}), env));
    pr("a little too much", words(33, 4000, self_path));
    memset(longest, 'y', 131072);
    lim(RLIMIT_STACK, 4 << 20, RLIM_INFINITY);
    pr("a long one", SC(SYS_execve, self_path, one, env));
    pr("much too much", words(270, 4000, self_path));
    longest[131071] = 0;
    SC(SYS_execve, self_path, one, env);
}
static void stacked(void) {
    lim(RLIMIT_STACK, 64 * 1024, RLIM_INFINITY);
    pr("more than the stack", words(17, 4000, self_path));
    words(12, 4000, self_path);
}
static void fits(void) {
    lim(RLIMIT_STACK, 256 * 1024, RLIM_INFINITY);
    pr("fits", words(32, 4000, self_path));
}
static int depth(int n) {
    volatile char frame[4096];
    frame[0] = n;
    return n == 0 ? 0 : depth(n - 1) + frame[0] - frame[0] + 1;
}
static void deep(void) {
    depth(20);
    lim(RLIMIT_STACK, 512 * 1024, RLIM_INFINITY);
    say("deep %d", depth(80));
    depth(400);
}
int main(int c, char **v) {
    if (v[0][0] == 'x') {
        say("%d arguments, second of %d", c, c > 1 ? (int)strlen(v[1]) : 0);
        return 0;
    }
    begin(v);
    lim(RLIMIT_CORE, 0, 0);
    in(data);
    in(space);
    in(locks_of_user);
    in(no_locks);
    in(core_of_presence);
    in(arguments);
    in(stacked);
    in(fits);
    in(deep);
    return done();
}
