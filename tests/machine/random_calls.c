// Processes make random system calls, send random messages, run random instructions with random registers, return from
// signals to random contexts and trace with random registers, until those of each kind have run for as long as asked; a
// bystander, and who started them, notice nothing.
//   random_calls MILLIONS SEED      MILLIONS of instructions of each kind, where an instruction takes a nanosecond
#include "random_calls.h"
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

static void child(const struct kind *kind) {
    struct rlimit small = {64 << 20, 64 << 20}, one = {1, 1}, few = {20, 20};
    setrlimit(RLIMIT_AS, &small);
    setrlimit(RLIMIT_CPU, &one);
    setrlimit(RLIMIT_NPROC, &few);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int fd = 0; fd < 16; fd++)
        close(fd);
    setpgid(0, 0);
    setresuid(1000, 1000, 1000);
    struct itimerval soon = {{0, 20000}, {0, 50000}};
    setitimer(ITIMER_REAL, &soon, 0);
    run(kind);
    _exit(0);
}

// Keeps numbers in memory, in registers and in the FPU, and says so through a pipe as long as they are what they were.
static void bystand(int from, int to) {
    setresuid(1001, 1001, 1001);
    volatile uint64_t *memory = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (uint64_t i = 0; i < (1 << 16) / 8; i++)
        memory[i] = i * i;
    double sum = 0.1;
    register uint64_t kept __asm__("r12") = 0x123456789abcdef;
    char byte;
    while (read(from, &byte, 1) == 1) {
        __asm__ volatile("" : "+r"(kept), "+x"(sum));
        for (uint64_t i = 0; i < (1 << 16) / 8; i++)
            if (memory[i] != i * i)
                _exit(1);
        if (kept != 0x123456789abcdef || sum != 0.1)
            _exit(2);
        if (write(to, &byte, 1) != 1)
            _exit(3);
    }
    _exit(0);
}

// How many nanoseconds the children have used so far, without what was done for them.
static uint64_t used(void) {
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return usage.ru_utime.tv_sec * 1000000000ul + usage.ru_utime.tv_usec * 1000ul;
}

// Runs one, and everything that it leaves, to its end.
static void one(const struct kind *kind) {
    pid_t pid = fork();
    if (pid == 0)
        child(kind);
    setpgid(pid, pid);
    // One that sleeps through its alarms is killed.
    for (int waited = 0; waitpid(pid, 0, WNOHANG) == 0; waited++) {
        usleep(2000);
        if (waited == 1000)
            kill(pid, SIGKILL);
    }
    kill(-pid, SIGKILL);
    while (waitpid(-1, 0, __WALL | WNOHANG) > 0)
        ;
}

int main(int argc, char **argv) {
    uint64_t millions = argc > 1 ? atoi(argv[1]) : 1, seed = argc > 2 ? strtoull(argv[2], 0, 0) : 1;
    int there[2], here[2];
    if (pipe(there) || pipe(here))
        return 1;
    pid_t bystander = fork();
    if (bystander == 0) {
        close(there[1]);
        bystand(there[0], here[1]);
    }
    int number = 0, noticed = 0;
    for (unsigned k = 0; k < KINDS; k++) {
        uint64_t until = used() + millions * 1000000;
        while (used() < until) {
            state = seed * 0x9e3779b97f4a7c15 + ++number;
            for (int i = 0; i < 8; i++)
                next();
            one(&kinds[k]);
            char byte = number;
            noticed += write(there[1], &byte, 1) != 1 || read(here[0], &byte, 1) != 1 || byte != (char)number;
        }
        fprintf(stderr, "%s: %d processes so far\n", kinds[k].name, number);
    }
    int status;
    close(there[1]);
    waitpid(bystander, &status, 0);
    printf("%d million instructions of each kind; noticed: %d, %x\n", (int)millions, noticed, status);
    return noticed || status;
}
