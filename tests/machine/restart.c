// The tracer server faults while it has tracees: they run on, and tracing begins anew.
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

static volatile long *count;

static void check(int holds, const char *what) {
    if (!holds) {
        printf("not so: %s\n", what);
        exit(1);
    }
}

static pid_t counter(void) {
    pid_t pid = fork();
    if (!pid)
        for (;;)
            ++*count;
    return pid;
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

int main(void) {
    int status;
    count = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = counter();
    for (int i = 0; i < 3; i++) {
        attach(pid);
        if (!fork()) {
            check(!setuid(1), "somebody else");
            check(ptrace(PTRACE_FAULT, 0, 0, 0) == -1 && errno == EPERM, "not for everybody");
            exit(0);
        }
        check(wait(&status) > 0 && status == 0, "the other's end");
        check(ptrace(PTRACE_FAULT, 0, 0, 0) == -1 && errno == EIO, "what the faulting request gets");
        check(counts(), "it runs on");
        check(ptrace(PTRACE_CONT, pid, 0, 0) == -1 && errno == ESRCH, "nobody's tracee");
        check(waitpid(pid, &status, WNOHANG) == 0, "a child as before");
    }
    attach(pid);
    check(!ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL), "options");
    check(ptrace(PTRACE_FAULT, 0, 0, 0) == -1 && errno == EIO, "the last fault");
    check(waitpid(pid, &status, 0) == pid && status == SIGKILL, "EXITKILL");
    puts("the tracer faulted four times");
    return 0;
}
