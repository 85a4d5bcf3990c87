// The tracer server faults while it has tracees: they run on, and tracing begins anew. A bond that it has not been
// told of outlives it.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define PTRACE_FAULT 0x73740002

static volatile long *count, *forks;

static void check(int holds, const char *what) {
    if (!holds) {
        printf("not so: %s\n", what);
        exit(1);
    }
}

static pid_t counter(void) {
    pid_t pid = fork();
    if (pid)
        return pid;
    signal(SIGCHLD, SIG_IGN);
    for (;; ++*count) {
        if (*forks) {
            *forks = 0;
            if (!fork())
                _exit(0);
        }
    }
}

static int counts(void) {
    long before = *count;
    for (int i = 0; i < 1000 && *count == before; i++)
        usleep(1000);
    return *count != before;
}

static void attach(pid_t pid) {
    int status;
    check(!ptrace(PTRACE_ATTACH, pid, 0, 0), "attach");
    check(waitpid(pid, &status, 0) == pid && status == (SIGSTOP << 8 | 0x7f), "the stop");
    check(!counts(), "it stands still");
}

// A fork is the server's business, and so is the bond from then on.
static void attach_and_tell(pid_t pid, long options) {
    int status;
    unsigned long child;
    attach(pid);
    check(!ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK), "options");
    check(!ptrace(PTRACE_CONT, pid, 0, 0), "go on");
    *forks = 1;
    check(waitpid(pid, &status, 0) == pid && status >> 8 == (SIGTRAP | PTRACE_EVENT_FORK << 8), "its fork");
    check(!ptrace(PTRACE_GETEVENTMSG, pid, 0, &child), "whom");
    check(waitpid(child, &status, __WALL) == child && status == (SIGSTOP << 8 | 0x7f), "the child's stop");
    check(!ptrace(PTRACE_DETACH, child, 0, 0), "the child goes");
    check(!ptrace(PTRACE_SETOPTIONS, pid, 0, options), "options again");
    check(!counts(), "it stands at its fork");
}

static void fault(void) {
    check(ptrace(PTRACE_FAULT, 0, 0, 0) == -1 && errno == EIO, "what the faulting request gets");
}

int main(void) {
    int status;
    count = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    forks = count + 1;
    pid_t pid = counter();
    attach(pid);
    fault();
    check(!counts(), "it stands still all the same");
    check(!ptrace(PTRACE_SETOPTIONS, pid, 0, 0), "it is the tracer's");
    check(!ptrace(PTRACE_DETACH, pid, 0, 0), "until it is let go");
    check(counts(), "and runs");
    for (int i = 0; i < 3; i++) {
        attach_and_tell(pid, 0);
        if (!fork()) {
            check(!setuid(1), "somebody else");
            check(ptrace(PTRACE_FAULT, 0, 0, 0) == -1 && errno == EPERM, "not for everybody");
            exit(0);
        }
        check(wait(&status) > 0 && status == 0, "the other's end");
        fault();
        check(counts(), "it runs on");
        check(ptrace(PTRACE_CONT, pid, 0, 0) == -1 && errno == ESRCH, "nobody's tracee");
        check(waitpid(pid, &status, WNOHANG) == 0, "a child as before");
    }
    attach_and_tell(pid, PTRACE_O_EXITKILL);
    fault();
    check(waitpid(pid, &status, 0) == pid && status == SIGKILL, "EXITKILL");
    puts("the tracer faulted five times");
    return 0;
}
