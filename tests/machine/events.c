// eventfd, timerfd, epoll and AF_UNIX sockets, as event loops use them. The output is Linux's.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int code(long result) { return result < 0 ? -errno : (int)result; }

static void counters(void) {
    int fd = eventfd(3, EFD_NONBLOCK);
    uint64_t n = 4;
    printf("eventfd write %d", code(write(fd, &n, 8)));
    printf(" read %d", code(read(fd, &n, 8)));
    printf(" count %d", (int)n);
    printf(" empty %d", code(read(fd, &n, 8)));
    printf(" short %d", code(read(fd, &n, 4)));
    n = UINT64_MAX;
    printf(" too large %d\n", code(write(fd, &n, 8)));
    int sem = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    printf("semaphore");
    for (int i = 0; i < 3; i++)
        printf(" %d", code(read(sem, &n, 8)));
    printf("\n");
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    printf("timerfd unset %d", code(read(timer, &n, 8)));
    struct itimerspec t = {{0, 5000000}, {0, 20000000}}, now;
    printf(" set %d", timerfd_settime(timer, 0, &t, 0));
    struct pollfd p = {timer, POLLIN, 0};
    printf(" poll %d", poll(&p, 1, 5000));
    printf(" read %d", code(read(timer, &n, 8)));
    printf(" some %d", n > 0);
    timerfd_gettime(timer, &now);
    printf(" interval %ld", now.it_interval.tv_nsec);
    printf(" bad %d\n", code(timerfd_create(77, 0)));
}

static void watch(int ep, int op, int fd, uint32_t events) {
    struct epoll_event e = {events, {.u32 = (uint32_t)events}};
    printf(" ctl %d", code(epoll_ctl(ep, op, fd, &e)));
}

static void ready(int ep, int timeout) {
    struct epoll_event e[8];
    int n = epoll_wait(ep, e, 8, timeout);
    printf(" [%d", code(n));
    for (int i = 0; i < n; i++)
        printf(" %x", e[i].events);
    printf("]");
}

static void epolls(void) {
    int ep = epoll_create1(EPOLL_CLOEXEC), p[2];
    if (pipe(p) < 0)
        return;
    printf("level");
    watch(ep, EPOLL_CTL_ADD, p[0], EPOLLIN);
    watch(ep, EPOLL_CTL_ADD, p[0], EPOLLIN);
    ready(ep, 0);
    (void)!write(p[1], "ab", 2);
    ready(ep, 0);
    ready(ep, 0);
    char c;
    (void)!read(p[0], &c, 1);
    ready(ep, 0);
    printf("\nedge");
    watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET);
    ready(ep, 0);
    ready(ep, 0);
    (void)!write(p[1], "c", 1);
    ready(ep, 0);
    (void)!read(p[0], &c, 1);
    ready(ep, 0);
    printf("\noneshot");
    watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT);
    ready(ep, 0);
    ready(ep, 0);
    watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT);
    ready(ep, 0);
    printf("\nerrors");
    int file = open("/tmp/events.file", O_CREAT | O_RDWR, 0600);
    watch(ep, EPOLL_CTL_ADD, file, EPOLLIN);
    watch(ep, EPOLL_CTL_ADD, ep, EPOLLIN);
    watch(ep, EPOLL_CTL_DEL, p[1], 0);
    watch(file, EPOLL_CTL_ADD, p[1], 0);
    printf(" max %d", code(epoll_wait(ep, 0, 0, 0)));
    printf("\nhang-up");
    watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN);
    close(p[1]);
    ready(ep, 0);
    (void)!read(p[0], &c, 1);
    ready(ep, 0);
    close(p[0]);
    ready(ep, 0);
    printf("\nnested");
    int inner = epoll_create1(0), e = eventfd(0, 0);
    watch(inner, EPOLL_CTL_ADD, e, EPOLLIN);
    watch(ep, EPOLL_CTL_ADD, inner, EPOLLIN);
    watch(inner, EPOLL_CTL_ADD, ep, EPOLLIN);
    ready(ep, 10);
    uint64_t n = 1;
    (void)!write(e, &n, 8);
    ready(ep, -1);
    printf("\n");
}

static void pairs(void) {
    int s[2], type, n;
    struct ucred cred;
    socklen_t len = sizeof type, credlen = sizeof cred;
    printf("socketpair %d", code(socketpair(AF_UNIX, SOCK_STREAM, 0, s)));
    getsockopt(s[0], SOL_SOCKET, SO_TYPE, &type, &len);
    getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &cred, &credlen);
    printf(" type %d len %d own %d", type, (int)len, cred.pid == getpid());
    char b[16] = "";
    printf(" send %d", code(send(s[0], "hello", 5, 0)));
    ioctl(s[1], FIONREAD, &n);
    printf(" unread %d", n);
    printf(" peek %d %.5s", code(recv(s[1], b, 3, MSG_PEEK)), b);
    printf(" recv %d %.5s", code(recv(s[1], b, 9, 0)), b);
    printf(" none %d", code(recv(s[1], b, 9, MSG_DONTWAIT)));
    printf(" seek %d\n", code(lseek(s[0], 0, SEEK_SET)));
    struct iovec v[2] = {{"one", 3}, {"two", 3}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
    printf("sendmsg %d", code(sendmsg(s[1], &m, 0)));
    struct iovec in = {b, sizeof b};
    struct msghdr r = {.msg_iov = &in, .msg_iovlen = 1};
    printf(" recvmsg %d %.6s", code(recvmsg(s[0], &r, 0)), b);
    printf(" shutdown %d", code(shutdown(s[0], SHUT_WR)));
    printf(" end %d", code(read(s[1], b, 9)));
    printf(" back %d", code(write(s[1], "x", 1)));
    printf(" %d", code(read(s[0], b, 9)));
    printf(" broken %d", code(send(s[0], "x", 1, MSG_NOSIGNAL)));
    struct pollfd p = {s[1], POLLIN | POLLOUT | POLLRDHUP, 0};
    poll(&p, 1, 0);
    printf(" poll %x", p.revents);
    close(s[0]);
    poll(&p, 1, 0);
    printf(" closed %x", p.revents);
    printf(" %d\n", code(send(s[1], "x", 1, MSG_NOSIGNAL)));
}

static socklen_t name(struct sockaddr_un *a, const char *path, int abstract) {
    memset(a, 0, sizeof *a);
    a->sun_family = AF_UNIX;
    strcpy(a->sun_path + abstract, path);
    return offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1;
}

static void *client(void *at) {
    struct sockaddr_un *a = at;
    int abstract = a->sun_path[0] == 0;
    socklen_t len = offsetof(struct sockaddr_un, sun_path) + strlen(a->sun_path + abstract) + 1;
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    usleep(20000);
    if (connect(s, (void *)a, len) == 0)
        (void)!write(s, "from client", 11);
    char b[16];
    int n = read(s, b, sizeof b);
    (void)n;
    close(s);
    return 0;
}

static void named(const char *path, int abstract) {
    struct sockaddr_un a, peer;
    socklen_t len = name(&a, path, abstract), peer_len = sizeof peer;
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    printf("bind %d", code(bind(s, (void *)&a, len)));
    int again = socket(AF_UNIX, SOCK_STREAM, 0);
    printf(" again %d", code(bind(again, (void *)&a, len)));
    printf(" early %d", code(connect(again, (void *)&a, len)));
    printf(" listen %d", code(listen(s, 4)));
    printf(" unread %d", code(read(s, &peer, 1)));
    pthread_t t;
    pthread_create(&t, 0, client, &a);
    int c = accept4(s, (void *)&peer, &peer_len, SOCK_CLOEXEC);
    printf(" accept %d peer %d", c >= 0, (int)peer_len);
    char b[32] = "";
    printf(" read %d %s", code(read(c, b, sizeof b)), b);
    peer_len = sizeof peer;
    getsockname(c, (void *)&peer, &peer_len);
    printf(" name %d", (int)peer_len == (int)len);
    close(c);
    pthread_join(t, 0);
    struct stat st;
    if (!abstract && stat(path, &st) == 0)
        printf(" socket %d open %d", S_ISSOCK(st.st_mode), code(open(path, O_RDWR)));
    close(s);
    printf(" refused %d\n", code(connect(again, (void *)&a, len)));
    if (!abstract)
        unlink(path);
}

int main(void) {
    setvbuf(stdout, 0, _IONBF, 0);
    counters();
    epolls();
    pairs();
    named("/tmp/events.socket", 0);
    named("events.abstract", 1);
    printf("inet %d unix %d raw %d\n", code(socket(AF_PACKET, SOCK_STREAM, 0)) < 0,
           code(socket(AF_UNIX, SOCK_STREAM, 99)), code(socket(AF_UNIX, SOCK_RDM, 0)));
    unlink("/tmp/events.file");
    return 0;
}
