// Rounds of everything that a process can have, leave and be killed with, several at once; then the counts of what is
// in use are what they were: memory, capabilities, and the entries of every server's tables.
//   leaks ROUNDS
#define _GNU_SOURCE
#include "leaks.h"
#include <ftw.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define PTRACE_COUNT 0x73740001
#define AT_ONCE 4
#define HEAP_ROOM (64 << 10)
#define MAX_COUNTS 64

static int removed(const char *path, const struct stat *stat, int type, struct FTW *ftw) {
    return remove(path);
}

// Waits for children, and for orphans.
static void reap(int round, int how) {
    int status;
    while (waitpid(-1, &status, __WALL | how) > 0) {
        if (WIFEXITED(status) && WEXITSTATUS(status) == 9)
            printf("a process of round %d failed\n", round);
    }
}

static void rounds(int count) {
    pid_t running[AT_ONCE] = {0};
    for (int i = 0; i < count + AT_ONCE; i++) {
        int at = next() % AT_ONCE;
        if (i >= count)
            at = i - count;
        pid_t pid = running[at];
        if (pid > 0) {
            if (next() % 2)
                usleep(next() % 3000);
            // A group also has what the process left behind.
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
            reap(i, WNOHANG);
        }
        int kind = next() % KINDS;
        running[at] = i < count ? forked() : 0;
        if (running[at] == 0 && i < count)
            child(kind, i);
        // As shells do: the group is there before it is killed, whoever comes first.
        setpgid(running[at], running[at]);
    }
    // What is left of the others: all but the first process and this one.
    kill(-1, SIGKILL);
    reap(count, 0);
    nftw("/tmp/leaks", removed, 8, FTW_DEPTH | FTW_PHYS);
    mkdir("/tmp/leaks", 0777);
}

struct counts {
    int lines;
    char name[MAX_COUNTS][32];
    long value[MAX_COUNTS];
};

static void count(struct counts *counts) {
    // The servers hear of a death one after the other.
    usleep(20000);
    FILE *file = fopen("/proc/stillpoint", "r");
    int lines = 0;
    while (fscanf(file, "%31s %ld", counts->name[lines], &counts->value[lines]) == 2)
        lines++;
    fclose(file);
    const char *of_tracer[] = {"tracer_tasks", "tracer_clients", "tracer_engines", "tracer_newborn"};
    for (int i = 0; i < 4; i++) {
        strcpy(counts->name[lines], of_tracer[i]);
        counts->value[lines++] = syscall(SYS_ptrace, PTRACE_COUNT, 0, i, 0);
    }
    counts->lines = lines;
}

// The rounds, by a process that takes everything with it: what this one has touched by now is not counted.
static void rounds_elsewhere(int count) {
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        rounds(count);
        exit(0);
    }
    int status;
    if (waitpid(pid, &status, 0) != pid || status)
        printf("the rounds ended with %x\n", status);
    while (waitpid(-1, 0, __WALL) > 0)
        ;
}

int main(int argc, char **argv) {
    static struct counts before, after;
    if (argc < 2 || argv[1][0] == '-')
        return 0;
    self = argv[0];
    mkdir("/tmp/leaks", 0777);
    count(&after);
    rounds_elsewhere(1000); // what is made once and kept
    count(&before);
    rounds_elsewhere(atoi(argv[1]));
    count(&after);
    int leaks = 0;
    for (int i = 0; i < after.lines; i++) {
        long difference = after.value[i] - before.value[i];
        // Lists of the process manager keep the room that they have once needed; a few bytes in each round are too much.
        int equal = strcmp(after.name[i], "heap") ? difference == 0 : difference < HEAP_ROOM;
        leaks += !equal;
        if (!equal || before.value[i] < 0)
            printf("%s: %ld, then %ld\n", before.name[i], before.value[i], after.value[i]);
    }
    printf("%d counts, %d of them not as before\n", after.lines, leaks);
    return leaks;
}
