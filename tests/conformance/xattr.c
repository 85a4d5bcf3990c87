// fs; Linux 6.6+ (user attributes of tmpfs); extended attributes: names, sizes, flags, who may.
#include "t.h"
#include <sys/stat.h>
#define FILE_ "/dev/shm/xattr-case"
#define DIR_ "/dev/shm/xattr-dir"
#define LINK_ "/dev/shm/xattr-link"
static void become(unsigned u) {
    SC(SYS_setgroups, 0, 0);
    SC(SYS_setresgid, u, u, u);
    SC(SYS_setresuid, u, u, u);
}
static long set(const char *path, const char *name, const char *value, int flags) {
    return SC(SYS_setxattr, path, name, value, strlen(value), flags);
}
static void get(const char *path, const char *name) {
    char b[100] = {0};
    long r = SC(SYS_getxattr, path, name, b, sizeof b);
    say("  get %s: %s %s", name, r < 0 ? er(r) : "ok", b);
}
static void list(const char *path) {
    char b[4096];
    long n = SC(SYS_listxattr, path, b, sizeof b);
    say("  list: %ld%s", n, n < 0 ? er(n) : "");
    // the order is nobody's business
    const char *known[] = {"security.x", "trusted.x", "user.a", "user.b", "user.c"};
    for (int i = 0; i < 5; i++)
        for (char *at = b; at < b + n; at += strlen(at) + 1)
            if (!strcmp(at, known[i]))
                say("   %s", at);
}
static void as_user(void) {
    pr("set of another's", set(FILE_, "user.a", "x", 0));
    get(FILE_, "user.a");
    pr("trusted", set(FILE_, "trusted.x", "x", 0));
    get(FILE_, "trusted.x");
    pr("remove trusted", SC(SYS_removexattr, FILE_, "trusted.x"));
    pr("security", set(FILE_, "security.x", "x", 0));
    get(FILE_, "security.x");
    list(FILE_);
    SC(SYS_unlink, "/dev/shm/xattr-mine");
    int fd = open("/dev/shm/xattr-mine", O_CREAT | O_RDWR, 0600);
    pr("own", SC(SYS_fsetxattr, fd, "user.a", "1", 1, 0));
    fchmod(fd, 0);
    get("/dev/shm/xattr-mine", "user.a");
    pr("own without the right to write", set("/dev/shm/xattr-mine", "user.a", "2", 0));
    pr("by descriptor", SC(SYS_fsetxattr, fd, "user.a", "1", 1, 0));
    pr("sticky directory of root", set(DIR_, "user.a", "x", 0));
    close(fd);
    unlink("/dev/shm/xattr-mine");
}
int main(int c, char **v) {
    begin(v);
    umask(0);
    unlink(FILE_);
    unlink(LINK_);
    rmdir(DIR_);
    close(open(FILE_, O_CREAT | O_RDWR, 0644));
    mkdir(DIR_, 0777);
    symlink(FILE_, LINK_);
    list(FILE_);
    pr("set", set(FILE_, "user.a", "one", 0));
    get(FILE_, "user.a");
    pr("again", set(FILE_, "user.a", "longer than it", 0));
    get(FILE_, "user.a");
    pr("create", set(FILE_, "user.a", "x", 1));
    pr("create another", set(FILE_, "user.b", "", 1));
    get(FILE_, "user.b");
    pr("replace", set(FILE_, "user.b", "new", 2));
    pr("replace none", set(FILE_, "user.c", "new", 2));
    pr("both", set(FILE_, "user.c", "new", 3));
    pr("flags", set(FILE_, "user.c", "new", 4));
    get(FILE_, "user.c");
    list(FILE_);
    pr("size", SC(SYS_getxattr, FILE_, "user.a", 0, 0));
    say("%ld", SC(SYS_getxattr, FILE_, "user.a", 0, 0));
    char b[8];
    pr("too small", SC(SYS_getxattr, FILE_, "user.a", b, 8));
    pr("bad address", SC(SYS_getxattr, FILE_, "user.a", 8, 100));
    say("size of the list %ld", SC(SYS_listxattr, FILE_, 0, 0));
    pr("list too small", SC(SYS_listxattr, FILE_, b, 8));
    static char name[300], value[70000];
    memset(name, 'n', 299);
    memcpy(name, "user.", 5);
    pr("long name", set(FILE_, name, "x", 0));
    name[255] = 0;
    pr("longest name", set(FILE_, name, "x", 0));
    pr("remove", SC(SYS_removexattr, FILE_, name));
    pr("no name", set(FILE_, "", "x", 0));
    pr("no class", set(FILE_, "a", "x", 0));
    pr("only class", set(FILE_, "user.", "x", 0));
    pr("unknown class", set(FILE_, "nobody.a", "x", 0));
    pr("bad name", SC(SYS_setxattr, FILE_, 8, "x", 1, 0));
    pr("bad value", SC(SYS_setxattr, FILE_, "user.c", 8, 1, 0));
    pr("too large", SC(SYS_setxattr, FILE_, "user.c", value, 65537, 0));
    pr("largest", SC(SYS_setxattr, FILE_, "user.c", value, 65536, 0));
    pr("two of them", SC(SYS_setxattr, FILE_, "user.d", value, 65536, 0));
    pr("remove", SC(SYS_removexattr, FILE_, "user.c"));
    pr("remove", SC(SYS_removexattr, FILE_, "user.c"));
    pr("remove none", SC(SYS_removexattr, FILE_, "user.e"));
    pr("get unknown class", SC(SYS_getxattr, FILE_, "nobody.a", 0, 0));
    pr("no file", set("/dev/shm/none", "user.a", "x", 0));
    pr("no file, no name", set("/dev/shm/none", "", "x", 0));
    pr("link", set(LINK_, "user.l", "x", 0));
    get(FILE_, "user.l");
    pr("link itself", SC(SYS_lsetxattr, LINK_, "user.l", "x", 1, 0));
    pr("get of the link itself", SC(SYS_lgetxattr, LINK_, "user.l", b, 8));
    pr("trusted of the link", SC(SYS_lsetxattr, LINK_, "trusted.l", "x", 1, 0));
    pr("get", SC(SYS_lgetxattr, LINK_, "trusted.l", b, 8));
    pr("remove", SC(SYS_lremovexattr, LINK_, "trusted.l"));
    pr("directory", set(DIR_, "user.a", "x", 0));
    get(DIR_, "user.a");
    pr("trusted", set(FILE_, "trusted.x", "t", 0));
    pr("security", set(FILE_, "security.x", "s", 0));
    list(FILE_);
    chmod(FILE_, 0644);
    chmod(DIR_, 01777);
    int p = fork();
    if (!p) {
        become(1000);
        as_user();
        SC(SYS_exit_group, 0);
    }
    wt(p);
    int fd = open(FILE_, O_RDONLY);
    pr("set by a descriptor to read", SC(SYS_fsetxattr, fd, "user.a", "f", 1, 0));
    get(FILE_, "user.a");
    say("%ld", SC(SYS_fgetxattr, fd, "user.a", 0, 0));
    pr("fremove", SC(SYS_fremovexattr, fd, "user.a"));
    pr("flist", SC(SYS_flistxattr, fd, 0, 0) > 0 ? 0 : -1);
    pr("bad descriptor", SC(SYS_fgetxattr, 99, "user.a", 0, 0));
    fd = open(FILE_, O_PATH);
    pr("path descriptor", SC(SYS_fgetxattr, fd, "user.a", 0, 0));
    int pipes[2];
    pipe(pipes);
    pr("pipe", SC(SYS_fsetxattr, pipes[0], "user.a", "x", 1, 0));
    pr("pipe", SC(SYS_fgetxattr, pipes[0], "user.a", 0, 0));
    say("pipe has %ld", SC(SYS_flistxattr, pipes[0], 0, 0));
    pr("proc", SC(SYS_getxattr, "/proc/self/status", "user.a", 0, 0));
    pr("null", SC(SYS_getxattr, "/dev/null", "user.a", 0, 0));
    unlink(FILE_);
    unlink(LINK_);
    rmdir(DIR_);
    return done();
}
