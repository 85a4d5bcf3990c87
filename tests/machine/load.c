// Rounds of forks, threads, execs and kills, all at once; says how much memory they cost: nothing. Then a fork bomb
// inside RLIMIT_NPROC, after which everything still works.
//   load ROUNDS
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

static void *thread(void *p) {
    if (p)
        pause();
    return 0;
}

static void worker(int kind, char *self) {
    pthread_t t[4];
    for (int i = 0; i < kind % 5 && i < 4; i++)
        pthread_create(&t[i], 0, thread, kind & 1 ? self : 0);
    switch (kind % 4) {
    case 0:
        execl(self, self, "-", (char *)0);
        break;
    case 1:
        pause();
        break;
    case 2:
        for (;;)
            ;
    default:
        if (vfork() == 0)
            execl(self, self, "-", (char *)0);
    }
    exit(0);
}

static void rounds(int count, char *self) {
    for (int i = 0; i < count; i++) {
        pid_t pids[4];
        for (int k = 0; k < 4; k++) {
            pids[k] = fork();
            if (pids[k] == 0)
                worker(i * 4 + k, self);
        }
        for (int k = 0; k < 4; k++) {
            if (i & 1)
                sched_yield();
            if (k % 4 == 1 || k % 4 == 2 || i % 3 == 0)
                kill(pids[k], SIGKILL);
            waitpid(pids[k], 0, 0);
        }
    }
    // Orphans of the killed ones are reaped by the first process, which is this one.
    while (waitpid(-1, 0, 0) > 0)
        ;
}

static long free_memory(void) {
    struct sysinfo info;
    sysinfo(&info);
    return info.freeram;
}

static void bomb(void) {
    for (;;)
        if (fork() < 0)
            pause();
}

int main(int argc, char **argv) {
    if (argc == 2 && argv[1][0] == '-')
        return 0;
    int count = argc > 1 ? atoi(argv[1]) : 10;
    rounds(24, argv[0]);
    long before = free_memory();
    rounds(count, argv[0]);
    printf("lost %ld bytes\n", before - free_memory());
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = {50, 50};
        setrlimit(RLIMIT_NPROC, &limit);
        setpgid(0, 0);
        setresuid(1000, 1000, 1000);
        bomb();
    }
    usleep(200000);
    pid_t other = fork();
    if (other == 0)
        execl(argv[0], argv[0], "-", (char *)0);
    int status = -1;
    waitpid(other, &status, 0);
    printf("while it goes on: %d\n", status);
    kill(-pid, SIGKILL);
    int n = 0;
    while (waitpid(-1, 0, 0) > 0)
        n++;
    printf("a bomb of %d\n", n);
    return 0;
}
