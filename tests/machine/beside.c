// A tracer and its tracee pass each other the processor, while somebody else wants all of it: a wait must not cost the
// tracer its turn. Says how many time slices of 10 ms, at most, a hundred stops have taken.
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STOPS = 2000, SLICE_NS = 10000000 };

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(void) {
    int hog = fork(), status;
    if (!hog)
        for (;;)
            ;
    int tracee = fork();
    if (!tracee) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        for (;;)
            getppid();
    }
    if (waitpid(tracee, &status, 0) != tracee || !WIFSTOPPED(status))
        return 1;
    long begun = now();
    for (int i = 0; i < STOPS; i++)
        if (ptrace(PTRACE_SYSCALL, tracee, 0, 0) || waitpid(tracee, &status, 0) != tracee || status != 0x57f)
            return 2;
    printf("%ld\n", (now() - begun) / SLICE_NS / (STOPS / 100) + 1);
    kill(hog, SIGKILL);
    kill(tracee, SIGKILL);
    return 0;
}
