// process; Linux 3.6+; who may open, make, remove, rename and link files: owner, group and others, directories'
//   bits, the sticky bit, capabilities, the file system ids, supplementary groups.
#include "t.h"
#include <sys/prctl.h>
#include <sys/stat.h>

static char dir[64];
static unsigned h[2] = {0x20080522, 0};
static void only(unsigned caps) {
    unsigned d[6] = {caps, caps, 0, 0, 0, 0};
    SC(SYS_prctl, PR_SET_KEEPCAPS, 1);
    SC(SYS_setgroups, 0, 0);
    SC(SYS_setresgid, 1001, 1001, 1001);
    SC(SYS_setresuid, 1001, 1001, 1001);
    SC(SYS_capset, h, d);
}
static void op(const char *p, int fl) {
    long f = SC(SYS_open, p, fl, 0644);
    static const char *n[] = {"rdonly", "wronly", "rdwr", "3"};
    say("  open %s %s%s%s%s%s: %s", p, n[fl & 3], fl & O_CREAT ? " creat" : "", fl & O_TRUNC ? " trunc" : "",
        fl & O_PATH ? " path" : "", fl & O_NOATIME ? " noatime" : "", f >= 0 ? "ok" : R(f));
    if (f >= 0)
        close(f);
}
static void mk(const char *p, unsigned u, unsigned g, unsigned m) {
    int f = open(p, O_CREAT | O_WRONLY, 0600);
    close(f);
    if (chown(p, u, g) || chmod(p, m))
        say("mk %s", p);
}
static void mkd(const char *p, unsigned u, unsigned g, unsigned m) {
    if (mkdir(p, 0700) || chown(p, u, g) || chmod(p, m))
        say("mkd %s", p);
}
static void opens(void) {
    op("f700", O_RDONLY);
    op("f070", O_RDONLY);
    op("f007", O_RDONLY);
    op("f004", O_RDONLY);
    op("f004", O_WRONLY);
    op("f004", O_RDWR);
    op("f004", O_RDONLY | O_TRUNC);
    op("f002", O_WRONLY);
    op("f002", O_WRONLY | O_TRUNC);
    op("f006", 3);
    op("f006", O_RDONLY | O_NOATIME);
    op("f000", O_PATH);
    op("own000", O_RDONLY);
    op("own400", O_WRONLY);
    op("d711", O_RDONLY | O_DIRECTORY);
    op("d711", O_WRONLY);
    op("d711/f", O_RDONLY);
    op("d711/none", O_RDONLY);
    op("d744", O_RDONLY | O_DIRECTORY);
    op("d744/f", O_RDONLY);
    op("d744/none", O_RDONLY);
    op("d744/f/x", O_RDONLY);
    op("d755/new", O_CREAT | O_WRONLY);
    op("d755/f", O_CREAT | O_WRONLY);
    op("d733/new", O_CREAT | O_WRONLY);
    op("d733", O_RDONLY);
    op("d766/new", O_CREAT | O_WRONLY);
    pr("  chdir f004", SC(SYS_chdir, "f004"));
    pr("  chdir d744", SC(SYS_chdir, "d744"));
    pr("  chdir d700", SC(SYS_chdir, "../d700"));
    if (chdir(dir))
        say("lost");
    pr("  truncate f004", SC(SYS_truncate, "f004", 0));
    pr("  truncate f002", SC(SYS_truncate, "f002", 0));
    pr("  truncate d755", SC(SYS_truncate, "d755", 0));
    struct stat st;
    pr("  stat f000", SC(SYS_stat, "f000", &st));
    pr("  stat d744/f", SC(SYS_stat, "d744/f", &st));
    pr("  readlink d744/l", SC(SYS_readlink, "d744/l", &st, 8));
    char b[512];
    pr("  exec f004", SC(SYS_execve, "f004", 0, 0));
    pr("  exec f001", SC(SYS_execve, "f001", 0, 0));
    pr("  exec d711", SC(SYS_execve, "d711", 0, 0));
    (void)b;
}
static void as_other(void) {
    only(0);
    opens();
}
static void as_group(void) {
    unsigned g[2] = {2000, 3000};
    SC(SYS_setgroups, 2, g);
    SC(SYS_setresgid, 1001, 1001, 1001);
    SC(SYS_setresuid, 1001, 1001, 1001);
    op("g070", O_RDWR);
    op("g707", O_RDONLY);
    op("f070", O_RDONLY);
    op("dg070/f", O_RDONLY);
}
static void as_fsuid(void) {
    SC(SYS_setfsgid, 1001);
    SC(SYS_setfsuid, 1001);
    op("f700", O_RDONLY);
    op("own400", O_RDONLY);
    op("f007", O_RDONLY);
    op("d733/fsnew", O_CREAT | O_WRONLY);
    struct stat st;
    stat("d733/fsnew", &st);
    say("  made by %u %u", st.st_uid, st.st_gid);
    SC(SYS_setfsuid, 0);
    op("f000", O_RDWR);
}
static void as_override(void) {
    only(2);
    opens();
}
static void as_search(void) {
    only(4);
    op("f000", O_RDONLY);
    op("f000", O_WRONLY);
    op("d700/f", O_RDONLY);
    op("d700", O_RDONLY | O_DIRECTORY);
    op("d700/new", O_CREAT | O_WRONLY);
    pr("  exec f000", SC(SYS_execve, "f000", 0, 0));
    pr("  exec f700", SC(SYS_execve, "f700", 0, 0));
}
static void names(void) {
    pr("  mkdir d755/x", SC(SYS_mkdir, "d755/x", 0777));
    pr("  mkdir d755/f", SC(SYS_mkdir, "d755/f", 0777));
    pr("  mkdir d700/x", SC(SYS_mkdir, "d700/x", 0777));
    pr("  mkdir d733/x", SC(SYS_mkdir, "d733/x", 0777));
    pr("  symlink d755/s", SC(SYS_symlink, "t", "d755/s"));
    pr("  mknod d755/p", SC(SYS_mknod, "d755/p", S_IFIFO | 0666, 0));
    pr("  mknod d733/p", SC(SYS_mknod, "d733/p", S_IFIFO | 0666, 0));
    pr("  mknod d733/c", SC(SYS_mknod, "d733/c", S_IFCHR | 0666, 0x103));
    pr("  mknod d733/d", SC(SYS_mknod, "d733/d", S_IFDIR | 0666, 0));
    pr("  mknod d733/bad", SC(SYS_mknod, "d733/bad", S_IFLNK | 0666, 0));
    pr("  unlink d755/f", SC(SYS_unlink, "d755/f"));
    pr("  unlink d755/none", SC(SYS_unlink, "d755/none"));
    pr("  unlink d755/sub", SC(SYS_unlink, "d755/sub"));
    pr("  rmdir d755/sub", SC(SYS_rmdir, "d755/sub"));
    pr("  rmdir d755/f", SC(SYS_rmdir, "d755/f"));
    pr("  rename d755/f", SC(SYS_rename, "d755/f", "d733/f"));
    pr("  rename d733/p", SC(SYS_rename, "d733/p", "d755/p"));
    pr("  rename d733/p", SC(SYS_rename, "d733/p", "d733/q"));
    pr("  rename others' directory", SC(SYS_rename, "d777/sub", "d733/sub"));
    pr("  rename it within", SC(SYS_rename, "d777/sub", "d777/sub2"));
    pr("  link others' file", SC(SYS_link, "f006", "d733/l1"));
    pr("  link others' readable", SC(SYS_link, "f004", "d733/l2"));
    pr("  link own", SC(SYS_link, "own400", "d733/l3"));
    pr("  link into d755", SC(SYS_link, "own400", "d755/l3"));
    pr("  link set-id", SC(SYS_link, "f4777", "d733/l4"));
    pr("  link directory", SC(SYS_link, "d777", "d733/l5"));
}
static void sticky(void) {
    pr("  unlink", SC(SYS_unlink, "sticky/theirs"));
    pr("  rmdir", SC(SYS_rmdir, "sticky/dir"));
    pr("  rename", SC(SYS_rename, "sticky/theirs", "sticky/x"));
    pr("  rename over", SC(SYS_rename, "sticky/mine", "sticky/theirs"));
    pr("  exchange", SC(SYS_renameat2, AT_FDCWD, "sticky/mine", AT_FDCWD, "sticky/theirs", 2));
    pr("  unlink mine", SC(SYS_unlink, "sticky/mine"));
    pr("  in my own", SC(SYS_unlink, "mysticky/theirs"));
    op("sticky/theirs", O_CREAT | O_WRONLY);
}
static void as_owner_of_all(void) {
    only(8);
    pr("  unlink", SC(SYS_unlink, "sticky/theirs"));
    pr("  chmod", SC(SYS_chmod, "f000", 0640));
    op("f000", O_RDONLY);
}
static void as_names(void) {
    only(0);
    names();
}
static void as_sticky(void) {
    only(0);
    sticky();
}
static void run(const char *name, void (*f)(void)) {
    say("-- %s", name);
    int st = wt(spawn(f));
    if (st)
        say("  %s", ST(st));
}
int main(int c, char **v) {
    (void)c;
    begin(v);
    SC(SYS_setgroups, 0, 0);
    umask(022);
    strcpy(dir, "/tmp/perms_XXXXXX");
    if (!mkdtemp(dir) || chdir(dir) || chmod(dir, 0777))
        return 1;
    mk("f700", 0, 0, 0700);
    mk("f070", 0, 0, 0070);
    mk("f007", 0, 0, 0007);
    mk("f004", 0, 0, 0004);
    mk("f002", 0, 0, 0002);
    mk("f006", 0, 0, 0006);
    mk("f000", 0, 0, 0);
    mk("f001", 0, 0, 0001);
    mk("f4777", 0, 0, 04777);
    mk("own000", 1001, 1001, 0077);
    mk("own400", 1001, 1001, 0400);
    mk("g070", 0, 3000, 0070);
    mk("g707", 0, 3000, 0707);
    mkd("d700", 0, 0, 0700);
    mkd("d711", 0, 0, 0711);
    mkd("d744", 0, 0, 0744);
    mkd("d755", 0, 0, 0755);
    mkd("d733", 0, 0, 0733);
    mkd("d766", 0, 0, 0766);
    mkd("d777", 0, 0, 0777);
    mkd("dg070", 0, 2000, 0070);
    mkd("sticky", 0, 0, 01777);
    mkd("mysticky", 1001, 0, 01777);
    mk("d700/f", 0, 0, 0666);
    mk("d711/f", 0, 0, 0666);
    mk("d744/f", 0, 0, 0666);
    mk("d755/f", 0, 0, 0644);
    mk("dg070/f", 0, 0, 0666);
    mk("sticky/theirs", 0, 0, 0666);
    mk("sticky/mine", 1001, 0, 0666);
    mk("mysticky/theirs", 0, 0, 0666);
    mkd("sticky/dir", 0, 0, 0777);
    mkd("d755/sub", 0, 0, 0777);
    mkd("d777/sub", 0, 0, 0755);
    if (symlink("f", "d744/l"))
        return 1;
    run("somebody else", as_other);
    run("of its groups", as_group);
    run("another user towards files", as_fsuid);
    run("CAP_DAC_OVERRIDE", as_override);
    run("CAP_DAC_READ_SEARCH", as_search);
    run("names", as_names);
    run("sticky", as_sticky);
    run("CAP_FOWNER", as_owner_of_all);
    char cmd[80];
    sprintf(cmd, "%s", dir);
    if (chdir("/"))
        return 1;
    int p = fork();
    if (!p) {
        execl("/bin/rm", "rm", "-rf", cmd, (char *)0);
        execl("/bin/busybox", "rm", "-rf", cmd, (char *)0);
        _exit(0);
    }
    wt(p);
    return done();
}
