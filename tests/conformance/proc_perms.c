// process; Linux 5.14+; who owns what is in /proc/PID, who may look into it, and what dumpable has to do with it.
#include "t.h"
#include <sys/prctl.h>
#include <sys/stat.h>

static int target;
static char path[64];
static const char *of(const char *f) {
    sprintf(path, "/proc/%d/%s", target, f);
    return path;
}
static void become(unsigned u) {
    SC(SYS_setgroups, 0, 0);
    SC(SYS_setresgid, u, u, u);
    SC(SYS_setresuid, u, u, u);
}
static const char *const files[] = {"stat", "status", "cmdline", "comm", "limits", "maps", "environ", "auxv", "mem"};
static void look(void) {
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
        struct stat s;
        long r = SC(SYS_stat, of(files[i]), &s);
        int f = open(path, O_RDONLY);
        say("  %s: stat %s %o %u %u; open %s", files[i], R(r), s.st_mode, s.st_uid, s.st_gid,
            f < 0 ? er(errno) : "ok");
        if (f >= 0)
            close(f);
    }
    const char *dirs[] = {"", "fd", "task", "fdinfo"};
    for (int i = 0; i < 4; i++) {
        struct stat s;
        long r = SC(SYS_stat, of(dirs[i]), &s);
        int f = open(path, O_RDONLY | O_DIRECTORY);
        say("  %s/: stat %s %o %u %u; open %s", dirs[i], R(r), s.st_mode & ~0111, s.st_uid, s.st_gid, i == 3 ? "-" : f < 0 ? er(errno) : "ok");
    }
    const char *links[] = {"exe", "cwd", "root", "fd/0"};
    for (int i = 0; i < 4; i++) {
        char b[256];
        long r = SC(SYS_readlink, of(links[i]), b, sizeof b);
        say("  %s: %s", links[i], r > 0 ? "ok" : R(r));
    }
    pr("  open comm to write", SC(SYS_open, of("comm"), O_WRONLY) >= 0 ? 0 : -errno);
    ul w = 0;
    struct iovec l = {&w, 8}, r = {&target, 8};
    long n = SC(SYS_process_vm_readv, target, &l, 1, &r, 1, 0);
    say("  process_vm_readv: %s", n == 8 ? "ok" : R(n));
}
static int ready[2];
static void idle(unsigned u, int dump) {
    become(u);
    if (dump >= 0)
        SC(SYS_prctl, PR_SET_DUMPABLE, dump);
    if (write(ready[1], "x", 1) != 1)
        _exit(1);
    dopause();
}
static void as(unsigned u) {
    int p = fork();
    if (!p) {
        if (u)
            become(u);
        look();
        _exit(0);
    }
    wt(p);
}
static void with_target(unsigned u, int dump) {
    char c;
    if (pipe(ready))
        return;
    target = fork();
    if (!target)
        idle(u, dump);
    if (read(ready[0], &c, 1) != 1)
        return;
    say("- seen by itself's user");
    as(u);
    say("- seen by another");
    as(1002);
    say("- seen by root");
    as(0);
    kill(target, SIGKILL);
    wt(target);
}
int main(int c, char **v) {
    (void)c;
    begin(v);
    say("-- a user's process that changed its user");
    with_target(1001, -1);
    say("-- a user's process, dumpable");
    with_target(1001, 1);
    say("-- root's process");
    with_target(0, 1);
    say("-- of itself, not dumpable");
    int p = fork();
    if (!p) {
        become(1001);
        target = getpid();
        look();
        _exit(0);
    }
    wt(p);
    return done();
}
