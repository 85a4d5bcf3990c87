// Steps a process, instruction by instruction, from where it is until it has ended, and says how it did:
// a debugger beside whatever engines the process has.
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

int main(int argc, char **argv) {
    int pid = atoi(argv[1]), status, steps = 0;
    if (ptrace(PTRACE_ATTACH, pid, 0, 0)) {
        perror("attach");
        return 1;
    }
    waitpid(pid, &status, __WALL);
    int signal = 0;
    while (!ptrace(PTRACE_SINGLESTEP, pid, 0, signal) && waitpid(pid, &status, __WALL) == pid) {
        if (!WIFSTOPPED(status))
            break;
        signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        steps++;
    }
    printf("stepped: %s, exit status %d\n", steps > 100 ? "many" : "few", WEXITSTATUS(status));
    return 0;
}
