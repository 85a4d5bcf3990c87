// process | 2.6 | core(5): which deaths leave a core file and say so, what the file is like, what prevents it,
//   coredump_filter, MADV_DONTDUMP
#include "t.h"
#include <sys/prctl.h>
#include <sys/stat.h>
#include <elf.h>
static char dir[] = "/tmp/coreXXXXXX";
static void limit(ul soft) {
    struct rlimit r = {soft, RLIM_INFINITY};
    setrlimit(RLIMIT_CORE, &r);
}
static const char *size_class(off_t n) {
    return n == 0 ? "empty" : n < 4096 ? "small" : "large";
}
// How a child died, and what it left; the file is removed.
static void died(const char *what, int pid) {
    siginfo_t i;
    struct stat s;
    memset(&i, 0, sizeof i);
    waitid(P_PID, pid, &i, WEXITED | WNOWAIT);
    int st = wt(pid);
    int there = lstat("core", &s) == 0;
    say("%s: %s%s %s, %s", what, ST(st), WCOREDUMP(st) ? " dumped" : "",
        i.si_code == CLD_DUMPED ? "CLD_DUMPED" : i.si_code == CLD_KILLED ? "CLD_KILLED" : "?",
        !there ? "no file" : S_ISLNK(s.st_mode) ? "a link" : S_ISDIR(s.st_mode) ? "a folder" : size_class(s.st_size));
    if (there && S_ISREG(s.st_mode))
        say("  mode %o links %d", s.st_mode & 07777, (int)s.st_nlink);
    unlink("core");
}
static int sig;
static void raise_it(void) {
    selfsig(sig);
}
static void segv(void) {
    *(volatile int *)8 = 1;
}
static void not_dumpable(void) {
    say("  prctl: %s", R(prctl(PR_SET_DUMPABLE, 0)));
    segv();
}
static void dumpable_again(void) {
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_DUMPABLE, 1);
    segv();
}
static void masked(void) {
    umask(0777);
    segv();
}
static void masked_some(void) {
    umask(0177);
    segv();
}
static void other_user(void) {
    if (setresuid(1000, 1000, 1000))
        say("  setresuid failed");
    say("  dumpable %d", prctl(PR_GET_DUMPABLE));
    segv();
}
static int other(void *unused) {
    (void)unused;
    dopause();
    return 0;
}
static void threads(void) {
    mkthread(other, 0);
    mkthread(other, 0);
    ms(10);
    segv();
}
static int thread_dies(void *unused) {
    (void)unused;
    segv();
    return 0;
}
static void in_a_thread(void) {
    mkthread(thread_dies, 0);
    dopause();
}
static char *area;
static void mapped(void) {
    area = mmap((void *)0x10000000, 8 << 12, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    char *shared = mmap((void *)0x20000000, 2 << 12, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    char *untouched = mmap((void *)0x30000000, 2 << 12, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    area[0] = area[7 << 12] = shared[1] = 'x';
    say("  dontdump %s", R(madvise(area + (2 << 12), 2 << 12, MADV_DONTDUMP)));
    say("  read %d", untouched[5]);
    segv();
}
static void shown_mapped(const char *what) {
    int f = open("core", O_RDONLY);
    Elf64_Ehdr e;
    if (read(f, &e, sizeof e) != sizeof e)
        say("no header");
    say("%s: type %d machine %d", what, e.e_type, e.e_machine);
    for (int i = 0; i < e.e_phnum; i++) {
        Elf64_Phdr p;
        if (pread(f, &p, sizeof p, e.e_phoff + i * sizeof p) != sizeof p)
            break;
        if (p.p_type == PT_NOTE || (p.p_vaddr >= 0x10000000 && p.p_vaddr < 0x40000000 && !(p.p_vaddr & 0xfff0000)))
            say("  type %d %lx flags %d memory %lx file %lx aligned %d", p.p_type, (ul)p.p_vaddr, p.p_flags, (ul)p.p_memsz,
                p.p_type == PT_NOTE ? 0 : (ul)p.p_filesz, (int)(p.p_offset & 4095) == 0 || p.p_type == PT_NOTE);
    }
    close(f);
    unlink("core");
}
static void filter(const char *text) {
    char b[64] = "?";
    int f = open("/proc/self/coredump_filter", O_RDWR);
    if (text)
        pr("  write", write(f, text, strlen(text)) < 0 ? -errno : 0);
    int n = pread(f, b, 63, 0);
    b[n > 0 ? n - 1 : 0] = 0;
    say("filter %s", b);
    close(f);
}
static void show_filter(void) {
    filter(0);
}
static void traced(void) {
    segv();
}
int main(int c, char **v) {
    begin(v);
    (void)c;
    if (!mkdtemp(dir) || chdir(dir))
        return 1;
    umask(022);
    int all[] = {SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS, SIGTERM, SIGKILL, SIGUSR1, 40};
    say("without a limit of 0");
    limit(RLIM_INFINITY);
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        sig = all[i];
        died(sg(sig), spawn(raise_it));
    }
    say("limits");
    ul limits[] = {0, 4095, 4096, 8192};
    for (int i = 0; i < 4; i++) {
        limit(limits[i]);
        say("%lu", limits[i]);
        died("segv", spawn(segv));
    }
    limit(RLIM_INFINITY);
    say("who may");
    died("not dumpable", spawn(not_dumpable));
    died("dumpable again", spawn(dumpable_again));
    died("umask 0777", spawn(masked));
    died("umask 0177", spawn(masked_some));
    chmod(".", 0777);
    died("other user", spawn(other_user));
    chmod(".", 0755);
    say("what is there already");
    close(open("precious", O_CREAT | O_WRONLY, 0644));
    pr("symlink", symlink("precious", "core"));
    died("a link", spawn(segv));
    pr("link", link("precious", "core"));
    died("another name", spawn(segv));
    struct stat s;
    stat("precious", &s);
    say("precious: %s", size_class(s.st_size));
    pr("mkdir", mkdir("core", 0755));
    died("a folder", spawn(segv));
    rmdir("core");
    unlink("precious");
    say("threads");
    died("threads", spawn(threads));
    died("in a thread", spawn(in_a_thread));
    int p = spawn_traced(traced);
    PT(CONT, p, 0, 0);
    say("traced: %s", ST(wt(p)));
    PT(CONT, p, 0, SIGSEGV);
    died("traced", p);
    say("memory");
    wt(spawn(mapped));
    shown_mapped("default");
    filter(0);
    filter("0x2");
    wt(spawn(show_filter));
    wt(spawn(mapped));
    shown_mapped("shared only");
    filter("0");
    wt(spawn(mapped));
    shown_mapped("nothing");
    filter("0x1ff\n");
    filter("012");
    filter("51");
    filter("x");
    filter("");
    filter("0xffffffff");
    filter("0x100000000");
    if (chdir("/"))
        return 1;
    rmdir(dir);
    return done();
}
