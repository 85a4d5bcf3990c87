// fs; Linux 2.6; epoll tells of files in the order in which they became ready; those that stay ready come last the next time.
#include "t.h"
#include <sys/epoll.h>
static int ep;
static void told(const char *what, int max) {
    struct epoll_event got[8];
    char line[128] = "";
    long n = SC(SYS_epoll_wait, ep, got, max, 0);
    for (int i = 0; i < n; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), " %c", (char)got[i].data.u64);
    say("%s:%s", what, n < 0 ? er(n) : line);
}
static void ctl(int op, int fd, int events, char name) {
    struct epoll_event e = {.events = events, .data.u64 = name};
    SC(SYS_epoll_ctl, ep, op, fd, &e);
}
int main(void) {
    alarm(15);
    int p[4][2];
    char b;
    ep = SC(SYS_epoll_create1, 0);
    for (int i = 0; i < 4; i++) {
        SC(SYS_pipe2, p[i], O_NONBLOCK);
        ctl(EPOLL_CTL_ADD, p[i][0], EPOLLIN, 'a' + i);
    }
    told("none", 8);
    SC(SYS_write, p[2][1], "x", 1);
    told("c", 8);
    SC(SYS_write, p[0][1], "x", 1);
    told("then a", 8);
    told("again", 8);
    SC(SYS_write, p[3][1], "x", 1);
    told("one at a time", 1);
    told("one at a time", 1);
    told("one at a time", 1);
    told("one at a time", 1);
    SC(SYS_read, p[2][0], &b, 1);
    told("without c", 8);
    SC(SYS_write, p[2][1], "x", 1);
    told("with c", 8);
    ctl(EPOLL_CTL_DEL, p[3][0], 0, 0);
    told("without d", 8);
    ctl(EPOLL_CTL_ADD, p[3][0], EPOLLIN | EPOLLET, 'd');
    told("d at an edge", 8);
    told("and no more", 8);
    SC(SYS_write, p[3][1], "x", 1);
    told("the next edge", 8);
    ctl(EPOLL_CTL_MOD, p[0][0], EPOLLIN | EPOLLONESHOT, 'A');
    told("a once", 8);
    told("and no more", 8);
    ctl(EPOLL_CTL_MOD, p[0][0], EPOLLIN, 'a');
    told("a again", 8);
    say("ok");
    return 0;
}
