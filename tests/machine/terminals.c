// Pseudo-terminals: the line discipline, job control and the hang-up. The output is Linux's.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int master, slave;

static int code(long result) { return result < 0 ? -errno : (int)result; }

static void show(const char *what, const char *b, int n) {
    printf(" %s %d \"", what, n);
    for (int i = 0; i < n; i++)
        b[i] >= ' ' && b[i] < 127 ? printf("%c", b[i]) : printf("\\%o", (unsigned char)b[i]);
    printf("\"");
}

static void type(const char *s) { (void)!write(master, s, strlen(s)); }

// What is there within a moment.
static void shown(int fd, const char *what) {
    char b[256];
    struct pollfd p = {fd, POLLIN, 0};
    int n = 0;
    usleep(20000);
    if (poll(&p, 1, 20) > 0)
        n = code(read(fd, b, sizeof b));
    show(what, b, n);
}

static void lines(void) {
    printf("lines");
    type("ab");
    shown(slave, "half");
    type("x\177\r");
    shown(slave, "read");
    shown(master, "echo");
    type("one two\027\033\n");
    shown(slave, "word");
    shown(master, "echo");
    type("no\025\004");
    shown(slave, "end");
    shown(master, "echo");
    type("\026\003q\nnext\n");
    shown(slave, "literal");
    shown(slave, "next");
    shown(master, "echo");
    (void)!write(slave, "out\n", 4);
    shown(master, "output");
    printf("\n");
}

static void raw(void) {
    struct termios t, old;
    tcgetattr(slave, &old);
    t = old;
    cfmakeraw(&t);
    printf("raw set %d", tcsetattr(slave, TCSANOW, &t));
    type("\003\r\n");
    shown(slave, "read");
    shown(master, "echo");
    t.c_cc[VMIN] = 0;
    t.c_cc[VTIME] = 1;
    tcsetattr(slave, TCSANOW, &t);
    char b[8];
    printf(" timed %d", code(read(slave, b, 8)));
    type("z");
    printf(" then %d", code(read(slave, b, 8)));
    tcsetattr(slave, TCSANOW, &old);
    struct winsize w = {33, 99, 0, 0}, got;
    ioctl(master, TIOCSWINSZ, &w);
    ioctl(slave, TIOCGWINSZ, &got);
    printf(" window %d %d\n", got.ws_row, got.ws_col);
}

static void on_signal(int n) {
    char b[32];
    int len = snprintf(b, sizeof b, "<signal %d>", n);
    (void)!write(slave, b, len);
}

// A session leader on the terminal: foreground, background, stop.
static void leader(void) {
    signal(SIGINT, on_signal);
    signal(SIGWINCH, on_signal);
    setsid();
    printf("leader before %d", code(open("/dev/tty", O_RDWR)));
    printf(" take %d", code(ioctl(slave, TIOCSCTTY, 0)));
    printf(" own %d", tcgetpgrp(slave) == getpid());
    printf(" tty %d", code(open("/dev/tty", O_RDWR)) > 2);
    printf(" session %d\n", tcgetsid(slave) == getpid());
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        signal(SIGINT, SIG_DFL);
        char b[8];
        int n = read(slave, b, 8); // in the background: SIGTTIN
        _exit(n == 3 ? 7 : 1);
    }
    setpgid(child, child);
    int status;
    waitpid(child, &status, WUNTRACED);
    printf("background stopped by %d", WIFSTOPPED(status) ? WSTOPSIG(status) : -1);
    signal(SIGTTOU, SIG_IGN);
    printf(" foreground %d", code(tcsetpgrp(slave, child)));
    kill(child, SIGCONT);
    type("hi\n");
    waitpid(child, &status, WUNTRACED);
    printf(" exit %d", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    tcsetpgrp(slave, getpgrp());
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        tcsetpgrp(slave, getpid());
        signal(SIGTTOU, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        (void)!write(slave, "!", 1);
        for (;;)
            pause();
    }
    shown(master, "ready");
    usleep(50000);
    type("\032");
    waitpid(child, &status, WUNTRACED);
    printf(" stopped by %d", WIFSTOPPED(status) ? WSTOPSIG(status) : -1);
    kill(child, SIGCONT);
    type("\003");
    waitpid(child, &status, 0);
    printf(" killed by %d", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    tcsetpgrp(slave, getpgrp());
    shown(master, "echo");
    printf(" no group %d\n", code(tcsetpgrp(slave, 1)));
    type("\003");
    shown(master, "own");
    printf("\n");
    fflush(stdout);
    close(master);
    for (;;)
        pause(); // until the hang-up
}

int main(void) {
    setvbuf(stdout, 0, _IONBF, 0);
    master = posix_openpt(O_RDWR | O_NOCTTY);
    char *name = ptsname(master);
    printf("master %d locked %d", isatty(master), code(open(name, O_RDWR | O_NOCTTY)));
    printf(" grant %d unlock %d", grantpt(master), unlockpt(master));
    slave = open(name, O_RDWR | O_NOCTTY);
    printf(" slave %d name %d\n", isatty(slave), strncmp(name, "/dev/pts/", 9) == 0 && strcmp(ttyname(slave), name) == 0);
    lines();
    raw();
    pid_t child = fork();
    if (child == 0)
        leader();
    int status;
    close(slave);
    usleep(700000);
    close(master);
    waitpid(child, &status, 0);
    printf("hung up by %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    master = posix_openpt(O_RDWR | O_NOCTTY);
    unlockpt(master);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    (void)!write(slave, "last", 4);
    close(slave);
    shown(master, "left");
    shown(master, "over");
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    close(master);
    char c;
    printf(" closed read %d", code(read(slave, &c, 1)));
    printf(" write %d\n", code(write(slave, "x", 1)));
    return 0;
}
