// Rows for engines, which only the machine has: ptbench.c with -DLIBTRACE.
#include <libtrace_engine.h>
#include <sys/mman.h>
static struct engine_callback told;
// Lets the tracee run into the engine's first callback.
static int engine_on(enum role r, uint32_t events, const struct engine_calls *calls, engine_t *e) {
    if (start(r, 0) || engine_attach(kid, ENGINE_CREATE, 1, 0, e) < 0 || engine_set(*e, events, 0, calls))
        return -1;
    return 0;
}
static void b_engine_calls(const char *name, uint32_t events, int per_op, int with_regs) {
    cur = name;
    if (!sel(cur))
        return;
    engine_t e;
    if (engine_on(SPIN_GETPID, events, 0, &e))
        BAD("engine");
    int n = cnt(1000), w = n / 10 + 2;
    struct user_regs_struct r;
    uint64_t answer = 0;
    ull t = 0;
    for (int i = 0; i < n + w; i++) {
        if (i == w)
            t = begin();
        for (int j = 0; j < per_op; j++) {
            if (engine_next(&told, answer) != 1)
                BAD("next");
            answer = engine_answer(&told, ENGINE_RESUME);
            if (with_regs && engine_request(PTRACE_GETREGS, e, 0, &r))
                BAD("getregs");
        }
    }
    out(cur, n, rdtsc() - t);
    engine_poll(&told, answer);
    engine_detach(e);
    reap();
}
static void b_engine_attach(void) {
    cur = "engine_attach_detach";
    if (!sel(cur))
        return;
    if (start(PAUSE, 0))
        BAD("start");
    int n = cnt(500), w = n / 10 + 1;
    ull t = 0;
    for (int i = 0; i < n + w; i++) {
        if (i == w)
            t = begin();
        engine_t e;
        if (engine_attach(kid, ENGINE_CREATE, 1, 0, &e) < 0 || engine_detach(e))
            BAD("attach");
    }
    out(cur, n, rdtsc() - t);
    reap();
}
// What a task's other system calls cost that an engine follows for one number alone.
static void b_engine_others(void) {
    cur = "getpid_engine_on_unlink";
    if (!sel(cur))
        return;
    volatile int *go = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(stdout);
    kid = fork();
    if (!kid) {
        while (!*go)
            sched_yield();
        time_getpid();
        _exit(0);
    }
    struct engine_calls calls = {0};
    engine_calls_add(&calls, SYS_unlink);
    engine_t e;
    if (engine_attach(kid, ENGINE_CREATE, 1, 0, &e) < 0 ||
        engine_set(e, ENGINE_SYSCALL_ENTRY | ENGINE_SYSCALL_EXIT, 0, &calls))
        BAD("engine");
    *go = 1;
    int st;
    w4(kid, &st, 0);
    kid = 0;
    munmap((void *)go, 4096);
}
static void engines(void) {
    b_engine_calls("engine_call_entry", ENGINE_SYSCALL_ENTRY, 1, 0);
    b_engine_calls("engine_call_pair", ENGINE_SYSCALL_ENTRY | ENGINE_SYSCALL_EXIT, 2, 0);
    b_engine_calls("engine_call_pair_getregs", ENGINE_SYSCALL_ENTRY | ENGINE_SYSCALL_EXIT, 2, 1);
    b_engine_attach();
    b_engine_others();
}
