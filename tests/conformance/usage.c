// process | 2.6 | getrusage, times, wait4's rusage, SIGCHLD's times, CPU clocks: what counts for whom
#include "t.h"
#include <sys/resource.h>
#include <sys/times.h>
typedef unsigned long long ull;
static ull us(struct timeval t) {
    return t.tv_sec * 1000000ull + t.tv_usec;
}
static ull used(const struct rusage *r) {
    return us(r->ru_utime) + us(r->ru_stime);
}
static struct rusage usage(int who) {
    struct rusage r;
    memset(&r, 0xff, sizeof r);
    if (getrusage(who, &r))
        say("getrusage %d: %s", who, er(errno));
    return r;
}
static ull ns(clockid_t c) {
    struct timespec t;
    if (clock_gettime(c, &t))
        return ~0ull;
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}
// Spends so many milliseconds of this thread's CPU time.
static void burn(int milliseconds) {
    ull end = ns(CLOCK_THREAD_CPUTIME_ID) + milliseconds * 1000000ull;
    while (ns(CLOCK_THREAD_CPUTIME_ID) < end)
        for (volatile int i = 0; i < 10000; i++)
            ;
}
static const char *about(ull value, ull expected) {
    static char b[64];
    if (value + expected / 2 >= expected && value <= expected * 3)
        return "as expected";
    sprintf(b, "%llu, not about %llu", value, expected);
    return b;
}
static void burns(void) {
    burn(80);
}
// Runs for so long by the clock, whoever else does.
static void spins(void) {
    ull end = ns(CLOCK_MONOTONIC) + 200000000ull;
    while (ns(CLOCK_MONOTONIC) < end)
        for (volatile int i = 0; i < 10000; i++)
            ;
}
static void nested(void) {
    wt(spawn(burns));
    burn(20);
}
static void large(void) {
    char *p = mmap(0, 24 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 24 << 20; i += 4096)
        p[i] = 1;
}
static void stops(void) {
    burn(60);
    selfsig(SIGSTOP);
}
static volatile int go;
static int thread(void *unused) {
    (void)unused;
    burn(60);
    struct rusage r = usage(1 /* RUSAGE_THREAD */);
    say("thread: %s", about(used(&r), 60000));
    SC(SYS_write, 1, "thread ends\n", 12);
    go = 1;
    SC(SYS_exit, 0);
    return 0;
}
static void calls(void) {
    for (int i = 0; i < 30000; i++)
        SC(SYS_getppid);
}
int main(int c, char **v) {
    begin(v);
    (void)c;
    struct rusage a, b;
    struct tms t;
    say("own");
    a = usage(RUSAGE_SELF);
    ull p0 = ns(CLOCK_PROCESS_CPUTIME_ID);
    burn(100);
    b = usage(RUSAGE_SELF);
    say("self: %s", about(used(&b) - used(&a), 100000));
    say("user: %s", us(b.ru_utime) > us(a.ru_utime) ? "more" : "no more");
    say("clock: %s", about((ns(CLOCK_PROCESS_CPUTIME_ID) - p0) / 1000, 100000));
    a = usage(RUSAGE_SELF);
    ms(50);
    b = usage(RUSAGE_SELF);
    say("sleep costs %s, waits %s", used(&b) - used(&a) < 30000 ? "nothing" : "time",
        b.ru_nvcsw > a.ru_nvcsw ? "counted" : "not counted");
    times(&t);
    say("times: %s, children %d %d", about((t.tms_utime + t.tms_stime) * 10000, used(&b)), (int)t.tms_cutime, (int)t.tms_cstime);
    a = usage(RUSAGE_SELF);
    calls();
    b = usage(RUSAGE_SELF);
    say("calls cost %s", used(&b) > used(&a) ? "time" : "nothing");
    say("children");
    b = usage(RUSAGE_CHILDREN);
    say("none yet: %d %d %d", (int)used(&b), (int)b.ru_maxrss, (int)b.ru_minflt);
    int p = spawn(burns);
    siginfo_t i;
    waitid(P_PID, p, &i, WEXITED | WNOWAIT);
    b = usage(RUSAGE_CHILDREN);
    say("before the wait: %d", (int)used(&b));
    int st;
    struct rusage r;
    memset(&r, 0xff, sizeof r);
    sc6(SYS_wait4, p, (long)&st, 0, (long)&r, 0, 0);
    say("wait4: %s", about(used(&r), 80000));
    b = usage(RUSAGE_CHILDREN);
    say("behind it: %s", about(used(&b), used(&r)));
    p = spawn(nested);
    sc6(SYS_wait4, p, (long)&st, 0, (long)&r, 0, 0);
    say("with a child: %s", about(used(&r), 100000));
    a = usage(RUSAGE_CHILDREN);
    say("all: %s", about(used(&a), used(&b) + used(&r)));
    times(&t);
    say("times: %s", about((t.tms_cutime + t.tms_cstime) * 10000, 180000));
    signal(SIGCHLD, SIG_IGN);
    p = spawn(burns);
    say("ignored: %s", R(wt(p)));
    b = usage(RUSAGE_CHILDREN);
    say("not counted: %s", used(&b) < used(&a) + 40000 ? "yes" : "no");
    signal(SIGCHLD, SIG_DFL);
    say("stopped");
    p = spawn(stops);
    sc6(SYS_wait4, p, (long)&st, WUNTRACED, (long)&r, 0, 0);
    say("%s: %s", ST(st), about(used(&r), 60000));
    SC(SYS_kill, p, SIGKILL);
    wt(p);
    ul one = 1;
    pr("pinned", SC(SYS_sched_setaffinity, 0, sizeof one, &one) < 0);
    a = usage(RUSAGE_CHILDREN);
    int q = spawn(spins);
    p = spawn(spins);
    wt(p);
    wt(q);
    b = usage(RUSAGE_CHILDREN);
    say("two at once: %s", used(&b) - used(&a) < 300000 ? "not twice the time" : "too much");
    say("memory");
    p = spawn(large);
    sc6(SYS_wait4, p, (long)&st, 0, (long)&r, 0, 0);
    say("peak: %s, faults: %s", r.ru_maxrss > 24000 && r.ru_maxrss < 40000 ? "as expected" : "?",
        r.ru_minflt >= 6000 && r.ru_minflt < 9000 ? "as expected" : "?");
    b = usage(RUSAGE_CHILDREN);
    say("largest child: %s", b.ru_maxrss == r.ru_maxrss ? "yes" : "no");
    b = usage(RUSAGE_SELF);
    char *m = mmap(0, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(m, 1, 8 << 20);
    munmap(m, 8 << 20);
    a = usage(RUSAGE_SELF);
    say("own peak: %s", a.ru_maxrss >= b.ru_maxrss + 6000 ? "stays" : "is lost");
    say("SIGCHLD");
    block(SIG_BLOCK, SIGCHLD);
    p = spawn(burns);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigwaitinfo(&set, &i);
    say("times: %s", about((i.si_utime + i.si_stime) * 10000, 80000));
    wt(p);
    say("threads");
    a = usage(RUSAGE_SELF);
    mkthread(thread, 0);
    while (!go)
        ms(5);
    ms(20);
    b = usage(RUSAGE_SELF);
    say("counted when gone: %s", about(used(&b) - used(&a), 60000));
    say("errors");
    pr("who", SC(SYS_getrusage, 2, &r));
    pr("who -2", SC(SYS_getrusage, -2, &r));
    pr("bad address", SC(SYS_getrusage, 0, 8));
    pr("times", SC(SYS_times, 8));
    pr("no buffer", SC(SYS_times, 0) > 0 ? 0 : -1);
    struct timespec res;
    for (int k = 0; k < 4; k++) {
        clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
        long e = SC(SYS_clock_getres, clocks[k], &res);
        say("resolution %d: %s %ld", clocks[k], R(e), res.tv_nsec);
    }
    pr("no such clock", SC(SYS_clock_getres, 77, &res));
    return done();
}
