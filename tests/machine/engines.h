// Engines of programs, by messages to the servers (abi/src/engine.rs).
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NR_SERVER_CAPS 0x73740001
#define PROCMGR 0
#define TRACER 1
#define ATTACH 18
#define NEXT 19
#define DETACH 21
#define SET_FLAGS 22
#define CREATE (0x10ul << 32)
#define HANDLE ((1ul << 48) - 1)
#define ALL_EVENTS 0x7fff
#define DEATH (1 << 6)
#define RESPONSE_BITS 15

// What an engine is called back with: the ticket first, the event in the lower half of the fourth word.
struct callback {
    uint64_t ticket, handle, data;
    uint32_t event, tid;
    uint64_t rest[24];
};

// The words before the message's own: the kernel's number of the call, the capability, and the message's shape.
static uint64_t shape(uint64_t kind) {
    static uint64_t number;
    return (kind | (number++ % 0xfff + 1) << 8) << 12 | 4;
}

// A message; the first word of the answer.
static int64_t say(int server, uint64_t kind, uint64_t a, uint64_t b, uint64_t c) {
    int64_t call = -1;
    uint64_t to = syscall(NR_SERVER_CAPS) + server, label = shape(kind);
    register uint64_t w0 __asm__("r10") = a, w1 __asm__("r8") = b, w2 __asm__("r9") = c, w3 __asm__("r15") = 0;
    __asm__ volatile("mov %%rsp, %%rcx\n lea 1f(%%rip), %%rdx\n 1: sysenter"
                     : "+a"(call), "+D"(to), "+S"(label), "+r"(w0), "+r"(w1), "+r"(w2), "+r"(w3)
                     :
                     : "rcx", "rdx", "r11", "memory");
    return w0;
}

// A message that may have to wait, and then goes on behind it with the result.
static int64_t say_and_wait(uint64_t kind, uint64_t a, uint64_t b) {
    int64_t result = -1;
    uint64_t to = syscall(NR_SERVER_CAPS) + PROCMGR, label = shape(kind);
    register uint64_t w0 __asm__("r10") = a, w1 __asm__("r8") = b;
    __asm__ volatile("mov %%rsp, %%rcx\n mov %%rsp, %%r15\n lea 1f(%%rip), %%rdx\n lea 2f(%%rip), %%r9\n"
                     "1: sysenter\n mov %%r10, %%rax\n 2:"
                     : "+a"(result), "+D"(to), "+S"(label), "+r"(w0), "+r"(w1)
                     :
                     : "rcx", "rdx", "r9", "r11", "r15", "memory");
    return result;
}

// A new engine at a task, or an error.
static int64_t attach(pid_t pid, uint64_t events) {
    int64_t attached = say(TRACER, ATTACH, CREATE | pid, 0, 7);
    if (attached < 0)
        return attached;
    say(TRACER, SET_FLAGS, attached & HANDLE, events, 0);
    return attached & HANDLE;
}

// Takes the next callback, with the answer to the last one: that all goes on. Whether there was one.
static int next_callback(struct callback *callback) {
    return say_and_wait(NEXT, callback->ticket << RESPONSE_BITS, (uint64_t)callback) == 1;
}
