// Keeps COUNT children alive at once, then kills and reaps them all.
//   many_tasks COUNT
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int count = argc == 2 ? atoi(argv[1]) : 0;
    pid_t *children = calloc(count, sizeof *children);
    int alive = 0;
    for (; alive < count; alive++) {
        pid_t pid = fork();
        if (pid == 0)
            for (;;)
                pause();
        if (pid < 0)
            break;
        children[alive] = pid;
    }
    int error = alive < count ? errno : 0;
    for (int i = 0; i < alive; i++)
        kill(children[i], SIGKILL);
    int reaped = 0, status;
    while (wait(&status) > 0)
        reaped += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    printf("%d alive at once, %d reaped\n", alive, reaped);
    return alive == count && reaped == count ? 0 : error ? error : 1;
}
