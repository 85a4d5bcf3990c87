// An engine in C: logs a child's system calls, vetoes one of them, changes a signal, and sees the end.
#include <errno.h>
#include <libtrace_engine.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static int child(int go) {
    char byte;
    if (read(go, &byte, 1) != 1)
        return 100;
    if (unlink("/tmp/none") == 0 || errno != EPERM)
        return 101;
    kill(getpid(), SIGTERM);
    return 7;
}

int main(void) {
    int go[2], status;
    engine_t engine = 0;
    struct engine_callback callback;
    if (pipe(go))
        return 1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(child(go[0]));
    if (engine_attach(pid, ENGINE_CREATE, 1, 2, &engine) < 0) {
        perror("engine_attach");
        kill(pid, SIGKILL);
        return 2;
    }
    engine_t again = 0;
    printf("found %d", engine_attach(pid, ENGINE_MATCH_OPS, 1, 0, &again) >= 0 && again == engine);
    printf(" exclusive %d", engine_attach(pid, ENGINE_CREATE | ENGINE_EXCLUSIVE | ENGINE_MATCH_DATA, 0, 2, &again));
    printf(" %s\n", errno == EEXIST ? "EEXIST" : "?");
    struct engine_calls calls = {{0}};
    engine_calls_add(&calls, SYS_unlink);
    uint32_t events = ENGINE_SYSCALL_ENTRY | ENGINE_SYSCALL_EXIT | ENGINE_SIGNAL_TERM | ENGINE_DEATH | ENGINE_REAP;
    printf("set %d\n", engine_set(engine, events, 0, &calls));
    printf("poll %d\n", engine_poll(&callback, 0));
    if (write(go[1], "x", 1) != 1)
        return 3;
    int more = engine_next(&callback, 0);
    while (more == 1) {
        unsigned response = ENGINE_RESUME;
        struct user_regs_struct regs;
        if (callback.tid != (uint32_t)pid || callback.data != 2 || callback.engine != engine)
            return 4;
        switch (callback.event) {
        case ENGINE_SYSCALL_ENTRY:
            printf("entry %s\n", callback.call.nr == SYS_unlink ? "unlink" : "?");
            engine_request(PTRACE_GETREGS, engine, 0, &regs);
            regs.rax = -EPERM;
            printf("setregs %ld\n", engine_request(PTRACE_SETREGS, engine, 0, &regs));
            response |= ENGINE_ABORT;
            break;
        case ENGINE_SYSCALL_EXIT:
            printf("exit %ld\n", (long)callback.call.args[0]);
            break;
        case ENGINE_SIGNAL_TERM:
            printf("signal %d from the child %d\n", callback.info.si_signo, callback.info.si_pid == pid);
            response |= ENGINE_CHOOSE(ENGINE_IGNORE);
            break;
        case ENGINE_DEATH:
            printf("death %d\n", WEXITSTATUS((int)callback.number));
            // It is reaped when it has been answered for.
            engine_poll(&callback, engine_answer(&callback, response));
            waitpid(pid, &status, 0);
            printf("status %d\n", WEXITSTATUS(status));
            more = engine_next(&callback, 0);
            printf("reap %d\n", callback.event == ENGINE_REAP);
            printf("detach %d", engine_detach(engine));
            printf(" %s\n", errno == ESRCH ? "ESRCH" : "?");
            return 0;
        }
        more = engine_next(&callback, engine_answer(&callback, response));
    }
    return 5;
}
