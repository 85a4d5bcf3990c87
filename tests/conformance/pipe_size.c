// How many bytes a pipe holds: F_GETPIPE_SZ and F_SETPIPE_SZ.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static char data[65536];

static const char *error(int result) {
    return result >= 0 ? "" : errno == EINVAL ? "EINVAL" : errno == EBUSY ? "EBUSY" : errno == EBADF ? "EBADF" : "?";
}

static void set(int fd, unsigned long size) {
    int got = fcntl(fd, F_SETPIPE_SZ, size);
    printf("set %lu: %d %s, ", size, got, error(got));
    printf("now %d\n", fcntl(fd, F_GETPIPE_SZ));
}

static void can_be_written(int fd) {
    struct pollfd poll_fd = {fd, POLLOUT};
    printf("poll: %d\n", poll(&poll_fd, 1, 0));
}

int main(void) {
    static const unsigned long sizes[] = {0, 1, 4096, 4097, 10000, 32768, 65536, (1ul << 31) + 1, 1ul << 33};
    int ends[2], file = open("/dev/null", O_RDWR);
    pipe2(ends, O_NONBLOCK);
    printf("made: %d\n", fcntl(ends[1], F_GETPIPE_SZ));
    for (int i = 0; i < sizeof sizes / sizeof *sizes; i++)
        set(ends[i % 2], sizes[i]);
    set(ends[0], 8192);
    printf("write: %zd\n", write(ends[1], data, sizeof data));
    printf("write: %zd\n", write(ends[1], data, 1));
    can_be_written(ends[1]);
    set(ends[0], 4096);
    set(ends[0], 16384);
    can_be_written(ends[1]);
    printf("write: %zd\n", write(ends[1], data, sizeof data));
    printf("read: %zd\n", read(ends[0], data, sizeof data));
    set(ends[0], 4096);
    printf("write: %zd\n", write(ends[1], data, sizeof data));
    printf("no pipe: %s", error(fcntl(file, F_GETPIPE_SZ)));
    printf(" %s\n", error(fcntl(file, F_SETPIPE_SZ, 4096)));
    return 0;
}
