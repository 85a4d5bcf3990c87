// Forks, execs and waits COUNT times, and says how much memory that cost: nothing.
//   no_leak COUNT PROGRAM
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

static void rounds(long count, char *program) {
    for (long i = 0; i < count; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            execl(program, program, (char *)0);
            _exit(127);
        }
        int status;
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
            printf("round %ld: pid %d, status %x\n", i, (int)pid, status);
            exit(1);
        }
    }
}

static long free_memory(void) {
    struct sysinfo info;
    sysinfo(&info);
    return info.freeram;
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    rounds(10, argv[2]); // what is made once and kept
    long before = free_memory();
    rounds(atol(argv[1]), argv[2]);
    long after = free_memory();
    printf("lost %ld bytes\n", before - after);
    return before != after;
}
