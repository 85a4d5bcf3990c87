// fs; Linux 5.8 (STATX_MNT_ID); what stat and attributes say: sizes of tmpfs's folders, blocks, mounts' ids, how /proc is read, sockets' protocols.
#include "t.h"
#include <sys/socket.h>
#include <sys/stat.h>
#define MNT_ID 0x1000
#define MASK(x) *(unsigned *)(x)
#define MOUNT(x) *(unsigned long *)((x) + 144)
#define DIR_ "/dev/shm/facts"
static void size(const char *path) {
    struct stat s;
    SC(SYS_lstat, path, &s);
    say("%s: size %ld, %ld blocks, block %ld", path, (long)s.st_size, (long)s.st_blocks, (long)s.st_blksize);
}
int main(void) {
    alarm(15);
    unsigned char one[256], two[256];
    char path[64], text[256];
    int pair[2], fd;
    SC(SYS_mkdir, DIR_, 0755);
    size(DIR_);
    SC(SYS_mkdir, DIR_ "/sub", 0755);
    size(DIR_);
    fd = SC(SYS_open, DIR_ "/file", O_CREAT | O_RDWR, 0644);
    SC(SYS_write, fd, "x", 1);
    size(DIR_);
    size(DIR_ "/sub");
    SC(SYS_unlink, DIR_ "/file");
    SC(SYS_rmdir, DIR_ "/sub");
    size(DIR_);
    SC(SYS_symlink, "facts", DIR_ "/link");
    size(DIR_ "/link");
    SC(SYS_statx, AT_FDCWD, DIR_, 0, 0, one);
    SC(SYS_statx, fd, "", 0x1000 /* AT_EMPTY_PATH */, 0x7ff, two);
    say("mount id told: %d %d, the same: %d", !!(MASK(one) & MNT_ID), !!(MASK(two) & MNT_ID), MOUNT(one) == MOUNT(two));
    SC(SYS_statx, AT_FDCWD, "/proc", 0, 0, two);
    say("another file system's: %d", MOUNT(one) != MOUNT(two));
    size("/proc/self/stat");
    SC(SYS_unlink, DIR_ "/link");
    SC(SYS_rmdir, DIR_);
    SC(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, pair);
    snprintf(path, sizeof path, "/proc/self/fd/%d", pair[0]);
    long n = SC(SYS_getxattr, path, "system.sockprotoname", text, sizeof text);
    say("protocol: %ld %s", n, n > 0 ? text : er(n));
    n = SC(SYS_fgetxattr, pair[0], "system.sockprotoname", text, 0);
    say("its size: %ld", n);
    say("too small: %s", er(SC(SYS_fgetxattr, pair[0], "system.sockprotoname", text, 11)));
    n = SC(SYS_flistxattr, pair[0], text, sizeof text);
    say("attributes: %ld %s", n, text);
    say("a user's: %s", er(SC(SYS_fgetxattr, pair[0], "user.x", text, 11)));
    say("of a file: %s", er(SC(SYS_fgetxattr, fd, "system.sockprotoname", text, sizeof text)));
    say("ok");
    return 0;
}
