// Tries to receive what others send to the servers, in every way that the kernel has: it is a fault, and whoever waited
// for his own answer gets it.
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR_SERVER_CAPS 0x73740001

static void receive(int64_t call, uint64_t from) {
    register uint64_t w0 __asm__("r10") = 0, w1 __asm__("r8") = 0, w2 __asm__("r9") = 0, w3 __asm__("r15") = 0;
    uint64_t shape = 0;
    __asm__ volatile("mov %%rsp, %%rcx\n lea 1f(%%rip), %%rdx\n 1: sysenter"
                     : "+a"(call), "+D"(from), "+S"(shape), "+r"(w0), "+r"(w1), "+r"(w2), "+r"(w3)
                     :
                     : "rcx", "rdx", "r11", "memory");
}

int main(void) {
    uint64_t servers = syscall(NR_SERVER_CAPS);
    const char *names[] = {"ReplyRecv", "Recv", "NBRecv"};
    int64_t calls[] = {-2, -5, -8};
    for (int server = 0; server < 2; server++)
        for (int i = 0; i < 3; i++) {
            pid_t pid = fork();
            if (pid == 0) {
                for (;;)
                    receive(calls[i], servers + server);
            }
            // Somebody who waits for an answer.
            usleep(10000);
            int status, running = waitpid(pid, &status, WNOHANG) == 0;
            if (running) {
                kill(pid, SIGKILL);
                waitpid(pid, &status, 0);
            }
            printf("%s from server %d: %s\n", names[i], server,
                   !running && WIFSIGNALED(status) && WTERMSIG(status) == SIGILL ? "SIGILL" : "allowed");
        }
    return 0;
}
