// Functions for a coverage counter, and a crash for a debugger.
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

volatile int sum;
__attribute__((noinline)) void five_times(void) { sum += 1; }
__attribute__((noinline)) void by_the_child(void) { sum += 2; }
__attribute__((noinline)) void not_at_all(void) { sum += 3; }
__attribute__((noinline)) void crash(void) { *(volatile int *)8 = 1; }

int main(int argc, char **argv) {
    for (int i = 0; i < 5; i++)
        five_times();
    if (fork() == 0) {
        by_the_child();
        _exit(0);
    }
    wait(0);
    if (argc > 2)
        not_at_all();
    if (argc > 1)
        crash();
    return 6;
}
