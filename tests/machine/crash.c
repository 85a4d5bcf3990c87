// Threads with known registers, one of which dies of a bad pointer: for a core dump that a debugger reads.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

struct point {
    int x, y;
    const char *name;
};

struct point origin = {3, 4, "origin"};
static int fds[2];
static volatile int ready;
char *large;

// Known numbers in registers that calls leave alone or that the kernel saves: rbx and xmm7.
static void mark(uint64_t number) {
    __asm__ volatile("movq %0, %%xmm7\n movq %0, %%rbx" : : "r"(number) : "rbx", "xmm7");
}

static void *sleeper(void *unused) {
    char c;
    mark(0x1111);
    ready++;
    // A system call with nothing around it that could change registers.
    long result;
    __asm__ volatile("movq $0x1111, %%rbx\n syscall"
                     : "=a"(result)
                     : "0"(0L), "D"((long)fds[0]), "S"(&c), "d"(1L)
                     : "rbx", "rcx", "r11", "memory");
    return unused;
}

static void *spinner(void *unused) {
    __asm__ volatile("movq $0x2222, %%rbx\n movq %%rbx, %%xmm7\n incl %0\n 1: pause\n jmp 1b" : "+m"(ready) : : "rbx", "xmm7");
    return unused;
}

static void __attribute__((noinline)) crash(volatile int *where, int depth) {
    if (depth > 0)
        crash(where, depth - 1);
    __asm__ volatile("movq $0x3333, %%rbx\n movq %%rbx, %%xmm7\n movl $1, (%0)" : : "r"(where) : "rbx", "xmm7", "memory");
    ready--; // no tail call
}

int main(void) {
    pthread_t threads[2];
    pthread_attr_t small;
    if (pipe(fds))
        return 1;
    // Mostly holes.
    large = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    large[500000] = 'x';
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    pthread_create(&threads[0], &small, sleeper, 0);
    pthread_create(&threads[1], &small, spinner, 0);
    while (ready < 2)
        usleep(1000);
    usleep(20000);
    crash((int *)8, 2);
    return 0;
}
