// fs; Linux 2.6; access lists as attributes: none to read, one that says what the mode says becomes the mode, and what is refused.
#include "t.h"
#include <sys/stat.h>
#define FILE_ "/dev/shm/acl-case"
#define DIR_ "/dev/shm/acl-dir"
#define LINK_ "/dev/shm/acl-link"
#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"
#define E(tag, bits) tag, 0, bits, 0, 255, 255, 255, 255
static void get(const char *path, const char *name) {
    char b[200];
    say("get %s of %s: %s", name + 17, path + 9, er(SC(SYS_lgetxattr, path, name, b, sizeof b)));
}
static void set(const char *what, const char *path, const char *name, const void *value, long size) {
    struct stat s;
    long r = SC(SYS_setxattr, path, name, value, size, 0);
    SC(SYS_stat, path, &s);
    say("%s: %s, mode %o", what, r < 0 ? er(r) : "ok", s.st_mode);
}
int main(void) {
    alarm(15);
    const unsigned char minimal[] = {2, 0, 0, 0, E(1, 7), E(4, 5), E(32, 0)};
    const unsigned char other[] = {2, 0, 0, 0, E(1, 6), E(4, 0), E(32, 4)};
    const unsigned char version[] = {1, 0, 0, 0, E(1, 6), E(4, 0), E(32, 4)};
    const unsigned char order[] = {2, 0, 0, 0, E(4, 6), E(1, 0), E(32, 4)};
    const unsigned char twice[] = {2, 0, 0, 0, E(1, 6), E(1, 6), E(4, 0), E(32, 4)};
    const unsigned char missing[] = {2, 0, 0, 0, E(1, 6), E(4, 0)};
    const unsigned char maskless[] = {2, 0, 0, 0, E(1, 6), 2, 0, 7, 0, 1, 0, 0, 0, E(4, 0), E(32, 4)};
    const unsigned char bits[] = {2, 0, 0, 0, E(1, 8), E(4, 0), E(32, 4)};
    const unsigned char tag[] = {2, 0, 0, 0, E(64, 6)};
    struct stat s;
    SC(SYS_umask, 022);
    long fd = SC(SYS_open, FILE_, O_CREAT | O_RDWR, 0644);
    SC(SYS_close, fd);
    SC(SYS_mkdir, DIR_, 0755);
    SC(SYS_symlink, "acl-case", LINK_);
    get(FILE_, ACCESS);
    get(FILE_, DEFAULT);
    get(DIR_, DEFAULT);
    get(LINK_, ACCESS);
    get("/proc/self/stat", ACCESS);
    set("minimal", FILE_, ACCESS, minimal, sizeof minimal);
    get(FILE_, ACCESS);
    SC(SYS_chmod, FILE_, 04711);
    set("another", FILE_, ACCESS, other, sizeof other);
    set("version", FILE_, ACCESS, version, sizeof version);
    set("order", FILE_, ACCESS, order, sizeof order);
    set("twice", FILE_, ACCESS, twice, sizeof twice);
    set("missing", FILE_, ACCESS, missing, sizeof missing);
    set("maskless", FILE_, ACCESS, maskless, sizeof maskless);
    set("bits", FILE_, ACCESS, bits, sizeof bits);
    set("tag", FILE_, ACCESS, tag, sizeof tag);
    set("short", FILE_, ACCESS, minimal, 3);
    set("cut", FILE_, ACCESS, minimal, 9);
    set("no entries", FILE_, ACCESS, minimal, 4);
    set("default of a file", FILE_, DEFAULT, minimal, sizeof minimal);
    set("no default of a file", FILE_, DEFAULT, minimal, 4);
    set("no default of a directory", DIR_, DEFAULT, minimal, 4);
    say("remove: %s", er(SC(SYS_removexattr, FILE_, ACCESS)));
    long child = SC(SYS_fork);
    if (child) {
        SC(SYS_wait4, child, 0, 0, 0);
        SC(SYS_unlink, FILE_);
        SC(SYS_unlink, LINK_);
        SC(SYS_rmdir, DIR_);
        say("ok");
        return 0;
    }
    SC(SYS_setresuid, 1, 1, 1);
    set("another's", FILE_, ACCESS, other, sizeof other);
    set("another's, wrong", FILE_, ACCESS, order, sizeof order);
    return 0;
}
