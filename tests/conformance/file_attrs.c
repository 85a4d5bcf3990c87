// process; Linux 3.6+; chmod, chown, utimens and access: who may, what becomes of set-id bits, what a set-group-id
//   directory gives on, and as whom access(2) asks.
#include "t.h"
#include <sys/prctl.h>
#include <sys/stat.h>

static char dir[64];
static unsigned h[2] = {0x20080522, 0};
static void become(unsigned caps) {
    unsigned d[6] = {caps, caps, 0, 0, 0, 0};
    SC(SYS_prctl, PR_SET_KEEPCAPS, 1);
    unsigned g[1] = {2000};
    SC(SYS_setgroups, 1, g);
    SC(SYS_setresgid, 1001, 1001, 1001);
    SC(SYS_setresuid, 1001, 1001, 1001);
    SC(SYS_capset, h, d);
}
static void st(const char *what, long r, const char *p) {
    struct stat s;
    memset(&s, 0, sizeof s);
    lstat(p, &s);
    say("  %s: %s; %o %u %u", what, R(r), s.st_mode, s.st_uid, s.st_gid);
}
static void mk(const char *p, unsigned u, unsigned g, unsigned m) {
    int f = open(p, O_CREAT | O_WRONLY, 0600);
    if (write(f, "x", 1) != 1)
        say("write");
    close(f);
    if (chown(p, u, g) || chmod(p, m))
        say("mk %s", p);
}
static void owners(void) {
    st("chmod mine", SC(SYS_chmod, "mine", 0604), "mine");
    st("chmod theirs", SC(SYS_chmod, "theirs", 0604), "theirs");
    st("chmod set-id", SC(SYS_chmod, "mine", 06755), "mine");
    st("chown to nobody", SC(SYS_chown, "mine", -1, -1), "mine");
    SC(SYS_chmod, "mine", 02745);
    st("chgrp to a group of mine", SC(SYS_chown, "mine", -1, 2000), "mine");
    st("chmod", SC(SYS_chmod, "mine", 06755), "mine");
    st("chgrp to another", SC(SYS_chown, "mine", -1, 3000), "mine");
    st("chown to myself", SC(SYS_chown, "mine", 1001, -1), "mine");
    st("chown away", SC(SYS_chown, "mine", 1002, -1), "mine");
    st("chown theirs", SC(SYS_chown, "theirs", 1001, -1), "theirs");
    st("chgrp theirs", SC(SYS_chown, "theirs", -1, 2000), "theirs");
    st("set-group-id of a group not mine", SC(SYS_chmod, "mine3000", 02755), "mine3000");
    st("lchown a link", SC(SYS_lchown, "link", -1, 2000), "link");
    st("chown through it", SC(SYS_chown, "link", -1, 2000), "theirs");
}
static void times(void) {
    struct timespec set[2] = {{5, 0}, {6, 0}}, now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}},
                    one[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}}, none[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
    const char *f[] = {"mine", "theirs", "theirs666"};
    for (int i = 0; i < 3; i++) {
        say("  %s: set %s, null %s, now %s, one now %s, none %s", f[i], R(SC(SYS_utimensat, AT_FDCWD, f[i], set, 0)),
            R(SC(SYS_utimensat, AT_FDCWD, f[i], 0, 0)), R(SC(SYS_utimensat, AT_FDCWD, f[i], now, 0)),
            R(SC(SYS_utimensat, AT_FDCWD, f[i], one, 0)), R(SC(SYS_utimensat, AT_FDCWD, f[i], none, 0)));
    }
}
static void writes(void) {
    int f = open("set", O_WRONLY);
    st("opened", 0, "set");
    st("wrote nothing", write(f, "x", 0), "set");
    st("wrote", write(f, "x", 1), "set");
    close(f);
    st("truncated", SC(SYS_truncate, "set2", 0), "set2");
    f = open("set3", O_WRONLY | O_TRUNC);
    st("opened to truncate", 0, "set3");
    close(f);
    f = open("set4", O_WRONLY);
    st("group not mine", write(f, "x", 1), "set4");
    close(f);
    f = open("set5", O_WRONLY);
    st("mark of a group not mine", write(f, "x", 1), "set5");
    close(f);
}
static void all(void) {
    owners();
    times();
    writes();
}
static void as_user(void) {
    become(0);
    all();
}
static void as_chown(void) {
    become(1);
    st("chown theirs", SC(SYS_chown, "theirs", 1002, 3000), "theirs");
    st("chmod theirs", SC(SYS_chmod, "theirs", 0700), "theirs");
}
static void as_fowner(void) {
    become(8);
    st("chmod theirs", SC(SYS_chmod, "theirs", 0704), "theirs");
    st("chown theirs", SC(SYS_chown, "theirs", 1001, -1), "theirs");
    times();
}
static void as_fsetid(void) {
    become(16);
    st("set-group-id of a group not mine", SC(SYS_chmod, "mine3000", 02755), "mine3000");
    int f = open("set6", O_WRONLY);
    st("wrote", write(f, "x", 1), "set6");
}
static void as_root(void) {
    st("chown", SC(SYS_chown, "set6", -1, -1), "set6");
    SC(SYS_chmod, "set6", 06755);
    st("fchown", SC(SYS_fchown, open("set6", O_RDONLY), 5, 5), "set6");
    st("chown a directory", SC(SYS_chown, "sgid", -1, 3000), "sgid");
}
static void sgid(void) {
    become(0);
    umask(0);
    int f = open("sgid/f", O_CREAT | O_WRONLY, 0666);
    st("file", f < 0 ? -errno : 0, "sgid/f");
    st("program", open("sgid/p", O_CREAT | O_WRONLY, 02777) < 0, "sgid/p");
    st("set-group-id mark", open("sgid/m", O_CREAT | O_WRONLY, 02767) < 0, "sgid/m");
    st("directory", SC(SYS_mkdir, "sgid/d", 0777), "sgid/d");
    st("directory with bits", SC(SYS_mkdir, "plain/d", 07777), "plain/d");
    st("file with bits", open("plain/f", O_CREAT | O_WRONLY, 07777) < 0, "plain/f");
    umask(027);
    st("umask", open("plain/u", O_CREAT | O_WRONLY, 0777) < 0, "plain/u");
    st("umask of a directory", SC(SYS_mkdir, "plain/ud", 0777), "plain/ud");
    st("a link has none", SC(SYS_symlink, "x", "plain/l"), "plain/l");
}
static void ac(const char *p, int m) {
    say("  access %s %d: %s, effective %s", p, m, R(SC(SYS_access, p, m)), R(SC(439, AT_FDCWD, p, m, 0x200)));
}
static void asks(void) {
    ac("root600", R_OK);
    ac("root600", W_OK);
    ac("root600", X_OK);
    ac("root600", F_OK);
    ac("root711", X_OK);
    ac("root711", R_OK | X_OK);
    ac("d700/f", R_OK);
    ac("d700", X_OK);
    ac("mine", R_OK | W_OK);
    ac("none", F_OK);
    ac("root600", 8);
    ac("root600", -1);
    pr("  bad flags", SC(439, AT_FDCWD, "mine", 0, 1));
}
static void real_user(void) {
    SC(SYS_setgroups, 0, 0);
    SC(SYS_setresgid, 1001, 0, 0);
    SC(SYS_setresuid, 1001, 0, 0);
    asks();
}
static void real_root(void) {
    SC(SYS_setresuid, 0, 1001, 1001);
    asks();
}
static void run(const char *name, void (*f)(void)) {
    say("-- %s", name);
    int s = wt(spawn(f));
    if (s)
        say("  %s", ST(s));
}
int main(int c, char **v) {
    (void)c;
    begin(v);
    umask(022);
    strcpy(dir, "/tmp/attrs_XXXXXX");
    if (!mkdtemp(dir) || chdir(dir) || chmod(dir, 0777))
        return 1;
    mk("mine", 1001, 1001, 0644);
    mk("mine3000", 1001, 3000, 0644);
    mk("theirs", 0, 0, 0644);
    mk("theirs666", 0, 0, 0666);
    if (symlink("theirs", "link") || lchown("link", 1001, 1001))
        return 1;
    mk("set", 0, 0, 06777);
    mk("set2", 0, 0, 06777);
    mk("set3", 0, 0, 06777);
    mk("set4", 0, 3000, 02777);
    mk("set5", 0, 3000, 02767);
    mk("set6", 0, 3000, 06777);
    mkdir("sgid", 0777);
    if (chown("sgid", 0, 3000))
        return 1;
    chmod("sgid", 02777);
    mkdir("plain", 0777);
    chmod("plain", 0777);
    mkdir("d700", 0700);
    mk("d700/f", 0, 0, 0666);
    mk("root600", 0, 0, 0600);
    mk("root711", 0, 0, 0711);
    run("a user", as_user);
    run("CAP_CHOWN", as_chown);
    run("CAP_FOWNER", as_fowner);
    run("CAP_FSETID", as_fsetid);
    run("root", as_root);
    run("made in directories", sgid);
    run("access as a user who is root", real_user);
    run("access as root who is a user", real_root);
    if (chdir("/"))
        return 1;
    int p = fork();
    if (!p) {
        execl("/bin/rm", "rm", "-rf", dir, (char *)0);
        execl("/bin/busybox", "rm", "-rf", dir, (char *)0);
        _exit(0);
    }
    wt(p);
    return done();
}
