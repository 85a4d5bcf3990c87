// fs; Linux 5.10; sendfile from files of /proc: those of the system can be copied, a process's own but for its mounts cannot; FICLONE where files share nothing; /dev/tty without a terminal; sizes of links in /proc/PID/fd.
#include "t.h"
#include <sys/stat.h>
#include <sys/syscall.h>
#define A "/dev/shm/copy-a"
#define B "/dev/shm/copy-b"
static int out;
static void copy(const char *path) {
    char text[4096], back[4096];
    long fd = SC(SYS_open, path, O_RDONLY, 0), n, m;
    SC(SYS_ftruncate, out, 0);
    SC(SYS_lseek, out, 0, 0);
    n = SC(SYS_sendfile, out, fd, 0, 4000);
    m = SC(SYS_sendfile, out, fd, 0, 4000);
    if (n < 0) {
        say("%s: %s", path, er(n));
    } else {
        SC(SYS_lseek, fd, 0, 0);
        long same = SC(SYS_read, fd, text, 4000);
        SC(SYS_pread64, out, back, 4000, 0);
        say("%s: the same %d, then %ld", path, same == n && !memcmp(text, back, n), m);
    }
    SC(SYS_close, fd);
}
int main(void) {
    alarm(15);
    const char *of_system[] = {"version", "filesystems", "cmdline", "sys/kernel/pid_max", "sys/kernel/ostype", "self/mountinfo", "mounts"};
    char path[64];
    int pipes[2];
    struct stat s;
    out = SC(SYS_open, A, O_CREAT | O_RDWR | O_TRUNC, 0644);
    for (int i = 0; i < 7; i++) {
        snprintf(path, sizeof path, "/proc/%s", of_system[i]);
        copy(path);
    }
    long fd = SC(SYS_open, "/proc/sys/kernel/ostype", O_RDONLY, 0), at = 2, n;
    SC(SYS_pipe2, pipes, 0);
    say("into a pipe: %ld", SC(SYS_splice, fd, 0, pipes[1], 0, 100, 0));
    memset(path, 0, sizeof path);
    n = SC(SYS_read, pipes[0], path, 60);
    say("it has: %ld %s", n, path);
    SC(SYS_ftruncate, out, 0);
    SC(SYS_lseek, out, 0, 0);
    n = SC(SYS_sendfile, out, fd, &at, 3);
    say("from the middle: %ld, on to %ld", n, at);
    memset(path, 0, sizeof path);
    SC(SYS_pread64, out, path, 60, 0);
    say("it has: %s", path);
    long other = SC(SYS_open, B, O_CREAT | O_RDWR | O_TRUNC, 0644);
    long ro = SC(SYS_open, B, O_RDONLY, 0), dir = SC(SYS_open, "/dev/shm", O_RDONLY, 0);
    say("clone: %s", er(SC(SYS_ioctl, out, 0x40049409, other)));
    say("clone into what is read only: %s", er(SC(SYS_ioctl, ro, 0x40049409, out)));
    say("clone of nothing: %s", er(SC(SYS_ioctl, out, 0x40049409, 99)));
    say("clone of a folder: %s", er(SC(SYS_ioctl, out, 0x40049409, dir)));
    say("clone of a pipe: %s", er(SC(SYS_ioctl, out, 0x40049409, pipes[0])));
    say("clone into a pipe: %s", er(SC(SYS_ioctl, pipes[1], 0x40049409, out)));
    say("clone of another file system: %s", er(SC(SYS_ioctl, out, 0x40049409, fd)));
    SC(SYS_unlink, A);
    SC(SYS_unlink, B);
    SC(SYS_lstat, "/proc/self/fd/1", &s);
    say("a link's size: %ld", (long)s.st_size);
    SC(SYS_lstat, "/proc/self/exe", &s);
    say("exe's: %ld", (long)s.st_size);
    long child = SC(SYS_fork), status;
    if (!child) {
        SC(SYS_setsid);
        say("/dev/tty: %s", er(SC(SYS_open, "/dev/tty", O_RDWR, 0)));
        SC(SYS_exit_group, 0);
    }
    SC(SYS_wait4, child, 0, 0, 0);
    say("ok");
    return 0;
}
