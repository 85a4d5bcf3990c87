// The FPU state survives fork and signal handlers, and a handler starts with a fresh one.
#include <fenv.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int rounding_in_handler = -1;

static void handler(int signal) {
    (void)signal;
    rounding_in_handler = fegetround();
    fesetround(FE_DOWNWARD);
    __asm__ volatile("pcmpeqb %%xmm7, %%xmm7" ::: "xmm7");
}

static unsigned long xmm7(void) {
    unsigned long value;
    __asm__ volatile("movq %%xmm7, %0" : "=r"(value));
    return value;
}

int main(void) {
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGUSR1, &action, 0);
    fesetround(FE_UPWARD);
    long pid = getpid();
    long result;
    // xmm7 is set and read around the call itself, so that no library code comes between.
    __asm__ volatile("movq %1, %%xmm7\n\tsyscall"
                     : "=a"(result)
                     : "r"(0x1122334455667788), "0"(62L), "D"(pid), "S"(SIGUSR1)
                     : "rcx", "r11", "memory", "xmm7");
    unsigned long after_handler = xmm7();
    printf("handler %d, after it %d %lx\n", rounding_in_handler == FE_TONEAREST,
           fegetround() == FE_UPWARD, after_handler);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        printf("child %d\n", fegetround() == FE_UPWARD);
        fflush(stdout);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    printf("parent %d\n", fegetround() == FE_UPWARD);
    return status;
}
