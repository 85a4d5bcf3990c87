// process; Linux 6.1+; what only the superuser may, and what is said to whoever is not: names of the machine, its time, mounts,
//   swap, terminal, file handles; kcmp; getdents, ustat, fchmodat2.
#include "t.h"
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/utsname.h>
static void become(unsigned u) {
    SC(SYS_setgroups, 0, 0);
    SC(SYS_setresgid, u, u, u);
    SC(SYS_setresuid, u, u, u);
}
static void in(const char *name, void (*f)(void)) {
    say("%s", name);
    int p = fork();
    if (!p) {
        f();
        SC(SYS_exit_group, 0);
    }
    wt(p);
}
static int root;
static void user(void) {
    become(1000);
    pr("sethostname", SC(SYS_sethostname, "x", 1));
    pr("setdomainname", SC(SYS_setdomainname, "x", 1));
    ul now[2] = {1000000000, 0}, bad[2] = {0, 1000000000};
    pr("settimeofday", SC(SYS_settimeofday, now, 0));
    pr("settimeofday bad", SC(SYS_settimeofday, bad, 0));
    pr("settimeofday address", SC(SYS_settimeofday, 8, 0));
    pr("settimeofday zone", SC(SYS_settimeofday, 0, now));
    pr("settimeofday nothing", SC(SYS_settimeofday, 0, 0));
    pr("clock_settime", SC(SYS_clock_settime, 0, now));
    struct timex t = {.modes = ADJ_FREQUENCY};
    pr("adjtimex", SC(SYS_adjtimex, &t));
    t.modes = 0xa001;
    pr("adjtime asks", SC(SYS_adjtimex, &t) >= 0 ? 0 : -1);
    t.modes = 0x8001;
    pr("adjtime", SC(SYS_adjtimex, &t));
    t.modes = 0xa000;
    pr("adjtime of nothing", SC(SYS_adjtimex, &t));
    t.modes = 0;
    pr("adjtimex asks", SC(SYS_adjtimex, &t) >= 0 ? 0 : -1);
    say("tick %ld", t.tick);
    pr("adjtimex address", SC(SYS_adjtimex, 8));
    pr("clock_adjtime", SC(SYS_clock_adjtime, 0, &t) >= 0 ? 0 : -1);
    pr("clock_adjtime monotonic", SC(SYS_clock_adjtime, 1, &t));
    pr("clock_adjtime unknown", SC(SYS_clock_adjtime, 77, &t));
    pr("acct", SC(SYS_acct, 0));
    pr("reboot", SC(SYS_reboot, 1, 2, 3, 0));
    pr("swapon", SC(SYS_swapon, "/none", 0));
    pr("swapon flags", SC(SYS_swapon, "/none", 1 << 20));
    pr("swapoff", SC(SYS_swapoff, "/none"));
    pr("vhangup", SC(SYS_vhangup));
    pr("mount", SC(SYS_mount, "none", "/", "tmpfs", 0, 0));
    pr("mount where nothing is", SC(SYS_mount, "none", "/none", "tmpfs", 0, 0));
    pr("mount address", SC(SYS_mount, "none", "/", 8, 0, 0));
    pr("umount", SC(SYS_umount2, "/", 0));
    pr("umount where nothing is", SC(SYS_umount2, "/none", 0));
    pr("umount flags", SC(SYS_umount2, "/", 64));
    pr("pivot_root", SC(SYS_pivot_root, "/", "/"));
    pr("chroot", SC(SYS_chroot, "/"));
    pr("syslog open", SC(SYS_syslog, 1, 0, 0));
    pr("syslog clear", SC(SYS_syslog, 5, 0, 0));
    pr("syslog unknown", SC(SYS_syslog, 99, 0, 0));
    struct {
        unsigned bytes, type;
        char handle[128];
    } h = {0};
    int mount;
    pr("name_to_handle_at flags", SC(SYS_name_to_handle_at, AT_FDCWD, "/", &h, &mount, 1 << 20));
    pr("name_to_handle_at where nothing is", SC(SYS_name_to_handle_at, AT_FDCWD, "/none", &h, &mount, 0));
    pr("open_by_handle_at of nothing", SC(SYS_open_by_handle_at, AT_FDCWD, &h, 0));
    h.bytes = 8;
    pr("open_by_handle_at", SC(SYS_open_by_handle_at, AT_FDCWD, &h, 0));
    pr("kcmp of another's", SC(SYS_kcmp, getpid(), root, 1, 0, 0));
}
static void superuser(void) {
    pr("sethostname long", SC(SYS_sethostname, "x", 65));
    pr("sethostname address", SC(SYS_sethostname, 8, 5));
    pr("sethostname negative", SC(SYS_sethostname, "x", -1));
    struct utsname before, u;
    uname(&before);
    char *domain = before.domainname;
    pr("setdomainname", SC(SYS_setdomainname, "example.net", 11));
    uname(&u);
    say("%s", u.domainname);
    SC(SYS_setdomainname, domain, strlen(domain));
    pr("settimeofday nothing", SC(SYS_settimeofday, 0, 0));
    pr("reboot magic", SC(SYS_reboot, 1, 2, 3, 0));
    pr("reboot unknown", SC(SYS_reboot, 0xfee1dead, 672274793, 77, 0));
    pr("acct off", SC(SYS_acct, 0));
    pr("swapon where nothing is", SC(SYS_swapon, "/none", 0));
    pr("swapon what is none", SC(SYS_swapon, "/dev/null", 0));
    pr("swapoff what is none", SC(SYS_swapoff, "/dev/null"));
    pr("mount of no type", SC(SYS_mount, "none", "/", "nosuchfs", 0, 0));
    pr("mount where nothing is", SC(SYS_mount, "none", "/none", "tmpfs", 0, 0));
    pr("umount what is none", SC(SYS_umount2, "/dev/shm/none", 0));
    mkdir("/dev/shm/admin", 0755);
    pr("umount what is none", SC(SYS_umount2, "/dev/shm/admin", 0));
    pr("move to what is no mount", SC(SYS_mount, "/dev/shm/admin", "/dev/shm/admin", 0, 1 << 13, 0));
    pr("private that is no mount", SC(SYS_mount, 0, "/dev/shm/admin", 0, 1 << 18, 0));
    rmdir("/dev/shm/admin");
    pr("syslog open", SC(SYS_syslog, 1, 0, 0));
    pr("syslog read nothing", SC(SYS_syslog, 3, 0, 5));
    pr("syslog level", SC(SYS_syslog, 8, 0, 9));
    pr("syslog unknown", SC(SYS_syslog, 99, 0, 0));
}
static void keys(void) {
    pr("pkey_alloc flags", SC(SYS_pkey_alloc, 1, 0));
    pr("pkey_alloc rights", SC(SYS_pkey_alloc, 0, 8));
    pr("pkey_free", SC(SYS_pkey_free, 7));
    char *m = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pr("pkey_mprotect of none", SC(SYS_pkey_mprotect, m, 4096, PROT_READ | PROT_WRITE, -1));
    *m = 1;
    pr("pkey_mprotect", SC(SYS_pkey_mprotect, m, 4096, PROT_READ, 7));
}
static int thread(void *a) {
    pause();
    return 0;
}
static long same(int a, int b, int what, int i, int j) {
    long r = SC(SYS_kcmp, a, b, what, i, j);
    return r > 0 ? 1 : r;
}
static void compares(void) {
    static char stack[65536];
    int me = getpid();
    int t = clone(thread, stack + 65536, CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD, 0);
    int p = fork();
    if (!p) {
        pause();
        SC(SYS_exit_group, 0);
    }
    const char *names[] = {"file", "memory", "files", "fs", "handlers", "io", "undo"};
    for (int i = 1; i < 7; i++)
        say("%s: itself %ld, thread %ld, child %ld", names[i], same(me, me, i, 0, 0), same(me, t, i, 0, 0),
            same(me, p, i, 0, 0));
    int a = dup(1), b = open("/dev/null", O_RDONLY), c = open("/dev/null", O_RDONLY);
    say("files: %ld %ld %ld", same(me, me, 0, 1, a), same(me, me, 0, b, c), same(me, p, 0, 1, 1));
    say("order %d", SC(SYS_kcmp, me, me, 0, b, c) + SC(SYS_kcmp, me, me, 0, c, b) == 3);
    pr("bad descriptor", SC(SYS_kcmp, me, me, 0, 1, 99));
    pr("nobody", SC(SYS_kcmp, me, 4000000, 1, 0, 0));
    pr("unknown", SC(SYS_kcmp, me, me, 99, 0, 0));
    kill(p, SIGKILL);
    wt(p);
}
static void files(void) {
    char b[512];
    SC(SYS_mkdir, "/dev/shm/old", 0755);
    close(open("/dev/shm/old/name", O_CREAT | O_RDWR, 0600));
    int fd = open("/dev/shm/old", O_RDONLY);
    long n = SC(SYS_getdents, fd, b, sizeof b);
    // unsigned long inode, unsigned long offset, unsigned short length, name, ..., type
    for (char *at = b; n > 0 && at < b + n; at += *(unsigned short *)(at + 16)) {
        int size = *(unsigned short *)(at + 16);
        say("%s size %d type %d", at + 18, size, at[size - 1]);
    }
    say("then %ld", SC(SYS_getdents, fd, b, sizeof b));
    SC(SYS_lseek, fd, 0, 0);
    pr("small", SC(SYS_getdents, fd, b, 10));
    pr("no directory", SC(SYS_getdents, 1, b, sizeof b));
    pr("fchmodat2", SC(452, AT_FDCWD, "/dev/shm/old/name", 0640, 0));
    struct stat s;
    stat("/dev/shm/old/name", &s);
    say("%o", s.st_mode);
    symlink("name", "/dev/shm/old/link");
    pr("fchmodat2 link", SC(452, AT_FDCWD, "/dev/shm/old/link", 0600, AT_SYMLINK_NOFOLLOW));
    pr("fchmodat2 flags", SC(452, AT_FDCWD, "/dev/shm/old/link", 0600, 1));
    fd = open("/dev/shm/old/name", O_PATH);
    pr("fchmodat2 empty", SC(452, fd, "", 0600, AT_EMPTY_PATH));
    stat("/dev/shm/old/name", &s);
    say("%o", s.st_mode);
    pr("ustat", SC(SYS_ustat, s.st_dev, b));
    pr("ustat unknown", SC(SYS_ustat, makedev(77, 77), b));
    pr("ustat address", SC(SYS_ustat, s.st_dev, 8));
    unlink("/dev/shm/old/link");
    unlink("/dev/shm/old/name");
    rmdir("/dev/shm/old");
}
int main(int c, char **v) {
    begin(v);
    root = getpid();
    in("user", user);
    in("superuser", superuser);
    in("keys", keys);
    in("compares", compares);
    in("files", files);
    return done();
}
