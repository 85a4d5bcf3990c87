// Traces and waits by the C library's functions only, as a debugger does. Linked with libtrace.a it has to say the same,
// on Linux and in the machine. The output is Linux's.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static long minus_one = -1;

// A failure's number, or the result. What succeeds leaves errno alone.
static int code(long result) {
    return result == -1 ? -errno : (int)result;
}

static int tracee(void (*run)(void)) {
    int pid = fork();
    if (!pid) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        // Not raise: C libraries make different calls of it.
        syscall(SYS_kill, getpid(), SIGSTOP);
        run();
        _exit(3);
    }
    int status;
    waitpid(pid, &status, 0);
    return pid;
}

static void calls(void) {
    for (int i = 0; i < 100; i++)
        syscall(SYS_getppid);
}

// How many stops 100 system calls come to.
static int stops_of(int pid) {
    int status, stops = 0;
    while (!ptrace(PTRACE_SYSCALL, pid, 0, 0) && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
        stops++;
    return stops;
}

// A child that does nothing until it is killed.
static int sleeper(void) {
    int pid = fork();
    while (!pid)
        pause();
    return pid;
}

// What was said before exec is not answered again after it.
static void replaced(void) {
    int pid = sleeper(), status = 0;
    printf("running %d", code(waitpid(pid, &status, WNOHANG)));
    printf(" seized %d", code(ptrace(PTRACE_SEIZE, pid, 0, 0)));
    kill(pid, SIGKILL);
    int killed = waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL;
    printf(" killed %d\n", killed);
}

static void results(void) {
    int pid = tracee(calls), status = 77;
    errno = 99;
    long word = ptrace(PTRACE_PEEKDATA, pid, &minus_one, 0);
    printf("peek %ld errno %d", word, errno);
    errno = 99;
    printf(" poke %d errno %d", code(ptrace(PTRACE_POKEDATA, pid, &minus_one, 5)), errno);
    word = ptrace(PTRACE_PEEKTEXT, pid, &minus_one, 0);
    printf(" %ld here %ld", word, minus_one);
    word = ptrace(PTRACE_PEEKDATA, pid, 0, 0);
    printf(" nowhere %ld errno %d", word, errno);
    errno = 99;
    printf(" nothing %d status %d errno %d\n", code(waitpid(pid, &status, WNOHANG)), status, errno);
    printf("unknown %d nobody %d\n", code(ptrace(0x7777, pid, 0, 0)), code(ptrace(PTRACE_CONT, 99999, 0, 0)));
    printf("stops %d", stops_of(pid));
    printf(" then %d", code(waitpid(pid, 0, 0)));
    printf(" any %d", code(wait(&status)));
    printf(" options %d\n", code(waitpid(-1, &status, 0x800)));
}

static void ends(void) {
    struct rusage usage;
    int status, pid = fork();
    if (!pid)
        _exit(4);
    memset(&usage, 0xff, sizeof usage);
    int same = wait4(pid, &status, 0, &usage) == pid;
    printf("wait4 %d %d usage %d", same, WEXITSTATUS(status), usage.ru_utime.tv_usec < 1000000);
    if (!(pid = fork()))
        _exit(5);
    same = wait3(&status, 0, 0) == pid;
    printf(" wait3 %d %d", same, WEXITSTATUS(status));
    if (!(pid = fork()))
        _exit(6);
    printf(" no status %d", wait(0) == pid);
    if (!(pid = fork()))
        _exit(7);
    printf(" bad status %d", code(waitpid(pid, (int *)8, 0)));
    printf(" reaped %d\n", code(waitpid(pid, 0, 0)));
}

static long moved(int write, int pid, void *own, long own_len, void *other, long other_len) {
    struct iovec local = {own, own_len}, remote = {other, other_len};
    return code(write ? process_vm_writev(pid, &local, 1, &remote, 1, 0)
                      : process_vm_readv(pid, &local, 1, &remote, 1, 0));
}

static char memory[3 << 20];

static void memories(void) {
    memset(memory, 'x', sizeof memory);
    int pid = sleeper();
    memset(memory, 0, sizeof memory);
    printf("read %ld %d", moved(0, pid, memory, sizeof memory, memory, sizeof memory), memory[sizeof memory - 1]);
    printf(" write %ld", moved(1, pid, memory, 2, memory + 5, 2));
    memory[5] = 'y';
    printf(" read %ld %d", moved(0, pid, memory + 4, 10, memory + 4, 2), memory[5]);
    printf(" nothing %ld nowhere %ld", moved(0, pid, memory, 0, 0, 9), moved(0, pid, memory, 9, 0, 9));
    printf(" too long %ld nobody %ld", moved(0, pid, memory, -1, memory, 9), moved(0, 99999, memory, 9, memory, 9));
    struct iovec local[2] = {{memory, 1}, {memory + 9, 2}}, remote = {memory + 7, 3};
    printf(" two %d", code(process_vm_readv(pid, local, 2, &remote, 1, 0)));
    printf(" flags %d none %d\n", code(process_vm_readv(pid, local, 2, &remote, 1, 1)),
           code(process_vm_writev(pid, 0, 0, 0, 0, 0)));
    kill(pid, SIGKILL);
    waitpid(pid, 0, 0);
}

static volatile int handled, seen, child;

// A handler that waits, too, and that ends what is waited for where the wait goes on behind it.
static void on_alarm(int signal) {
    (void)signal;
    handled++;
    for (int i = 0; i < 10; i++)
        seen += waitpid(-1, 0, WNOHANG | __WCLONE) == -1;
    if (child)
        kill(child, SIGKILL);
}

static void alarms(int ms) {
    struct itimerval timer = {{0, ms * 1000}, {0, ms * 1000}};
    setitimer(ITIMER_REAL, &timer, 0);
}

static void signals(void) {
    struct sigaction action = {0};
    action.sa_handler = on_alarm;
    int status, pid = sleeper();
    sigaction(SIGALRM, &action, 0);
    alarms(20);
    printf("interrupted %d", code(waitpid(pid, &status, 0)));
    alarms(0);
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, 0);
    child = pid;
    alarms(20);
    int found = waitpid(pid, &status, 0) == pid;
    alarms(0);
    printf(" restarted %d status %d handled %d seen %d\n", found, status, handled > 1, seen == 10 * handled);
}

static int cleaned;
static void clean(void *arg) {
    (void)arg;
    cleaned++;
}

static void *waits(void *disabled) {
    int old, status, pid;
    pthread_setcancelstate(disabled ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE, &old);
    pthread_cleanup_push(clean, 0);
    pid = waitpid(-1, &status, 0);
    pthread_cleanup_pop(0);
    return (void *)(long)(pid > 0 ? status : -errno);
}

static void cancelled(void) {
    struct timespec time = {0, 50000000};
    for (long disabled = 0; disabled <= 1; disabled++) {
        int pid = sleeper();
        pthread_t thread;
        void *result;
        pthread_create(&thread, 0, waits, (void *)disabled);
        nanosleep(&time, 0);
        pthread_cancel(thread);
        if (disabled)
            kill(pid, SIGKILL);
        pthread_join(thread, &result);
        printf("cancelled %d result %ld cleaned %d", result == PTHREAD_CANCELED, (long)result, cleaned);
        kill(pid, SIGKILL);
        printf(" left %d\n", waitpid(pid, 0, 0) == pid);
    }
    int old;
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &old);
    printf("deferred as before %d\n", old == PTHREAD_CANCEL_DEFERRED);
}

static void *traces(void *result) {
    for (int i = 0; i < 20; i++)
        *(int *)result += stops_of(tracee(calls));
    return 0;
}

// Each counts its own messages, more than there are numbers for.
static void threads(void) {
    pthread_t thread[3];
    int stops[3] = {0};
    for (int i = 0; i < 3; i++)
        pthread_create(&thread[i], 0, traces, &stops[i]);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], 0);
    printf("stops of threads %d %d %d\n", stops[0], stops[1], stops[2]);
}

int main(int argc, char **argv) {
    setvbuf(stdout, 0, _IOLBF, 0);
    if (argc == 1) {
        printf("no child %d", code(waitpid(-1, 0, 0)));
        printf(" nobody %d\n", code(ptrace(PTRACE_ATTACH, 0, 0, 0)));
        execl("/proc/self/exe", argv[0], "again", (char *)0);
        return 1;
    }
    replaced();
    results();
    ends();
    memories();
    signals();
    cancelled();
    threads();
    return 0;
}
