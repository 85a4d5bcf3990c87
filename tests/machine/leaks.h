// What the processes of leaks.c do before they are killed.
#include "engines.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NR_CONTEXT 0x73740002
#define CONTEXT_ENTER 1
#define KINDS 18

static char *self;
static uint64_t state = 1;
static int word;
static char data[16 * 4096];

static uint64_t next(void) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return state >> 33;
}

// fork(), which must not fail: so many there never are at once.
static pid_t forked(void) {
    pid_t pid = fork();
    if (pid < 0)
        _exit(9);
    return pid;
}

static void *sleeper(void *p) {
    pause();
    return p;
}

static void *waiter(void *p) {
    syscall(SYS_futex, &word, FUTEX_WAIT, 0, 0, 0, 0);
    return p;
}

static void *spinner(void *p) {
    for (;;)
        ;
    return p;
}

static void *execer(void *p) {
    execl(self, self, "-", (char *)0);
    return p;
}

static void threads(void *(*run)(void *)) {
    pthread_t thread;
    for (int i = 0; i < 3; i++)
        pthread_create(&thread, 0, run, 0);
    usleep(next() % 2000);
}

static void descriptors(void) {
    int ends[2], epoll = epoll_create1(0);
    struct epoll_event event = {EPOLLIN, {0}};
    for (int i = 0; i < 4; i++) {
        if (i % 2 ? pipe(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
            _exit(9);
        if (write(ends[1], data, 3000) != 3000)
            _exit(9);
        epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
    }
    epoll_ctl(epoll, EPOLL_CTL_ADD, eventfd(3, 0), &event);
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec later = {{1, 0}, {1000, 0}};
    timerfd_settime(timer, 0, &later, 0);
    dup2(timer, 50);
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGUSR1);
    signalfd(-1, &usual, 0);
    syscall(SYS_pidfd_open, getppid(), 0);
    if (forked() == 0) // which dies with its parent's pipe full
        for (;;)
            if (write(ends[1], data, sizeof data) < 0)
                break;
}

static void timers(void) {
    signal(SIGALRM, SIG_IGN);
    struct itimerval soon = {{0, 1000}, {0, 500}}, late = {{0, 0}, {1000, 0}};
    setitimer(ITIMER_REAL, next() % 2 ? &soon : &late, 0);
    setitimer(ITIMER_VIRTUAL, &late, 0);
    struct itimerspec later = {{1, 0}, {1000, 0}};
    timer_t timer;
    for (int i = 0; i < 4; i++) {
        if (timer_create(i % 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME, 0, &timer) == 0)
            timer_settime(timer, 0, &later, 0);
    }
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, 0);
    union sigval value = {7};
    for (int i = 0; i < 5; i++) {
        sigqueue(getpid(), SIGRTMIN + i, value);
        sigqueue(getpid(), SIGRTMIN, value);
    }
    threads(sleeper);
}

static void memory(void) {
    char *shared = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *own = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(shared, 1, 5 * 4096);
    memset(own, 1, 9 * 4096);
    char name[] = "/tmp/leaks/fileXXXXXX";
    int fd = mkstemp(name);
    if (write(fd, data, sizeof data) != sizeof data)
        _exit(9);
    struct flock part = {.l_type = F_WRLCK, .l_len = 100};
    fcntl(fd, F_SETLK, &part);
    flock(fd, LOCK_SH);
    char *file = mmap(0, sizeof data, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *copy = mmap(0, sizeof data, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    unlink(name);
    for (int i = 0; i < 2; i++) {
        forked();
        for (int at = 0; at < 16; at += 3)
            own[at * 4096] = shared[at * 4096] = file[at * 4096] = copy[at * 4096] = i;
    }
    munmap(own + 4096, 4096);
    mprotect(own + 3 * 4096, 4096, PROT_READ);
    madvise(own + 5 * 4096, 2 * 4096, MADV_DONTNEED);
    mremap(shared, 1 << 20, 2 << 20, MREMAP_MAYMOVE);
}

// The child's child, stopped under ptrace in one way or another.
static void tracing(int how) {
    pid_t pid = forked();
    if (pid == 0) {
        if (how % 3 == 0) {
            ptrace(PTRACE_TRACEME, 0, 0, 0);
            execl(self, self, "-", (char *)0);
        }
        threads(sleeper);
        pause();
    }
    int status;
    if (how % 3 == 1 && ptrace(PTRACE_ATTACH, pid, 0, 0) == 0) {
        waitpid(pid, &status, __WALL);
        ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXIT);
        ptrace(PTRACE_SYSCALL, pid, 0, 0);
    }
    if (how % 3 == 2 && ptrace(PTRACE_SEIZE, pid, 0, how % 2 ? PTRACE_O_EXITKILL : 0) == 0)
        ptrace(PTRACE_INTERRUPT, pid, 0, 0);
    if (how % 3 == 0)
        waitpid(pid, &status, 0);
    switch (how / 3 % 4) {
    case 0:
        ptrace(PTRACE_DETACH, pid, 0, 0);
        kill(pid, SIGKILL);
        break;
    case 1:
        kill(pid, SIGKILL);
        waitpid(pid, &status, __WALL);
        break;
    case 2:
        ptrace(PTRACE_CONT, pid, 0, 0);
        kill(pid, SIGTERM);
    }
    // And otherwise it is the dead tracer's, and killed as an orphan: it knows its grandparent's group.
}

// A child with engines, which come to one end or another.
static void engines(int how) {
    pid_t pid = forked();
    if (pid == 0) {
        signal(SIGUSR1, SIG_IGN);
        threads(sleeper);
        if (how % 2)
            forked();
        kill(getpid(), SIGUSR1);
        return;
    }
    struct callback callback = {0};
    int64_t engine = attach(pid, ALL_EVENTS);
    if (how % 3 == 0)
        ptrace(PTRACE_SEIZE, pid, 0, 0);
    if (how % 3 == 1)
        attach(pid, next() % (ALL_EVENTS + 1));
    switch (how / 3 % 4) {
    case 0: // answered to the end
        while (engine > 0 && callback.event != DEATH && next_callback(&callback))
            ;
        break;
    case 1: // asked, and no answer
        kill(pid, SIGTERM);
        if (engine > 0)
            next_callback(&callback);
        break;
    case 2:
        say(TRACER, DETACH, engine, 0, 0);
        break;
    }
    // And otherwise they are the dead owner's.
}

static void core(void) {
    struct rlimit limit = {1 << 20, 1 << 20};
    setrlimit(RLIMIT_CORE, &limit);
    char name[] = "/tmp/leaks/coreXXXXXX";
    if (!mkdtemp(name) || chdir(name))
        _exit(9);
    if (forked() == 0) {
        threads(sleeper);
        abort();
    }
    wait(0);
    unlink("core");
    chdir("/");
    rmdir(name);
}

static void child(int kind, int how) {
    setpgid(0, 0);
    switch (kind) {
    case 0:
        break;
    case 1:
        if (vfork() == 0)
            execl(self, self, "-", (char *)0);
        break;
    case 2:
        threads(how % 2 ? sleeper : spinner);
        if (how % 3 == 0)
            pause();
        break;
    case 3:
        threads(execer);
        pause();
        break;
    case 4:
        threads(waiter);
        if (how % 2)
            waiter(0);
        break;
    case 5:
        descriptors();
        break;
    case 6:
        timers();
        break;
    case 7:
        memory();
        break;
    case 8:
    case 9:
        tracing(how);
        break;
    case 10:
        core();
        break;
    case 11:
        if (syscall(NR_CONTEXT, CONTEXT_ENTER, 0) < 0)
            _exit(9);
        if (forked() == 0 && forked() == 0)
            pause();
        break;
    case 12:
        setsid();
        for (int i = 0; i < 3; i++)
            if (forked() == 0)
                setpgid(0, how % 2 ? 0 : getppid());
        break;
    case 13:
        // An orphan that nobody waits for but the first process.
        if (forked() == 0)
            usleep(how % 1000);
        break;
    case 14:
        execl(self, self, "-", (char *)0);
        break;
    case 15:
    case 16:
        engines(how);
        break;
    default:
        pause();
    }
    _exit(0);
}
