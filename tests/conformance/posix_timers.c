// signal | 2.6 (2.6.12 THREAD_ID) | POSIX timers, ITIMER_VIRTUAL and ITIMER_PROF, RLIMIT_CPU: error numbers, siginfo,
//   overruns, what is left, fork and exec
#include "t.h"
#include <sys/time.h>
typedef struct {
    ul value;
    int signo, notify, tid, pad[11];
} sev;
typedef struct {
    long i_s, i_ns, v_s, v_ns;
} its;
static volatile int hits;
static siginfo_t got;
static void hit(int s, siginfo_t *i, void *u) {
    (void)s;
    (void)u;
    got = *i;
    hits++;
}
static void handle(int s) {
    struct sigaction a;
    memset(&a, 0, sizeof a);
    a.sa_sigaction = hit;
    a.sa_flags = SA_SIGINFO;
    sigaction(s, &a, 0);
}
static void until(int n) {
    for (int i = 0; i < 2000 && hits < n; i++)
        ms(1);
}
static void burn(int n) {
    for (long i = 0; i < 100000000000l && hits < n; i++)
        __asm__ volatile("");
}
static void errors(void) {
    int id = -1;
    sev e = {0, SIGUSR1, 0, 0, {0}};
    its t = {0, 0, 0, 1000000000}, z = {0, 0, 0, 0};
    pr("clock 99", SC(SYS_timer_create, 99, 0, &id));
    e.signo = 65;
    pr("signal 65", SC(SYS_timer_create, 0, &e, &id));
    e.signo = 0;
    pr("signal 0", SC(SYS_timer_create, 0, &e, &id));
    e.signo = SIGUSR1;
    e.notify = 9;
    pr("notify 9", SC(SYS_timer_create, 0, &e, &id));
    e.notify = 4;
    e.tid = 1;
    pr("thread of another", SC(SYS_timer_create, 0, &e, &id));
    pr("event address", SC(SYS_timer_create, 0, 8, &id));
    pr("settime of none", SC(SYS_timer_settime, 77, 0, &z, 0));
    pr("settime null", SC(SYS_timer_settime, 77, 0, 0, 0));
    pr("settime value", SC(SYS_timer_settime, 77, 0, &t, 0));
    pr("gettime of none", SC(SYS_timer_gettime, 77, &t));
    pr("overrun of none", SC(SYS_timer_getoverrun, 77));
    pr("delete of none", SC(SYS_timer_delete, 77));
}
static void fires(void) {
    int id = -1, none = -1;
    its t = {0, 0, 0, 20000000}, o = {9, 9, 9, 9}, z = {0, 0, 0, 0};
    handle(SIGALRM);
    handle(SIGUSR1);
    pr("create", SC(SYS_timer_create, CLOCK_MONOTONIC, 0, &id));
    pr("gettime", SC(SYS_timer_gettime, id, &o));
    say("%ld %ld %ld %ld", o.i_s, o.i_ns, o.v_s, o.v_ns);
    pr("settime", SC(SYS_timer_settime, id, 0, &t, &o));
    until(1);
    say("hits %d signo %s code %d timer %d overrun %d value is the id %d", hits, sg(got.si_signo), got.si_code,
        got.si_timerid == id, got.si_overrun, got.si_value.sival_int == id);
    SC(SYS_timer_gettime, id, &o);
    say("over: %ld %ld", o.v_s, o.v_ns);
    pr("delete", SC(SYS_timer_delete, id));
    pr("again", SC(SYS_timer_delete, id));
    sev e = {0x123456789a, SIGUSR1, 4, SC(SYS_gettid), {0}};
    hits = 0;
    block(SIG_BLOCK, SIGUSR1);
    pr("create for a thread", SC(SYS_timer_create, CLOCK_REALTIME, &e, &id));
    its p = {0, 5000000, 0, 5000000};
    SC(SYS_timer_settime, id, 0, &p, 0);
    ms(60);
    ul set = 1ul << (SIGUSR1 - 1);
    siginfo_t si;
    say("%s", sg(SC(SYS_rt_sigtimedwait, &set, &si, 0, 8)));
    long n = SC(SYS_timer_getoverrun, id);
    say("value %lx code %d overruns %d, in siginfo %d", (long)si.si_value.sival_ptr, si.si_code, n > 4, si.si_overrun == n);
    SC(SYS_timer_settime, id, 0, &z, &o);
    say("left within the interval %d, interval %ld", o.v_s == 0 && o.v_ns > 0 && o.v_ns <= 5000000, o.i_ns);
    struct timespec none_left = {0, 0};
    SC(SYS_rt_sigtimedwait, &set, &si, &none_left, 8);
    block(SIG_UNBLOCK, SIGUSR1);
    struct timespec past;
    clock_gettime(CLOCK_REALTIME, &past);
    its ab = {0, 0, past.tv_sec - 5, 0};
    hits = 0;
    SC(SYS_timer_settime, id, 1, &ab, 0);
    until(1);
    say("absolute in the past: %d", hits);
    e.notify = 1;
    pr("create with SIGEV_NONE", SC(SYS_timer_create, CLOCK_MONOTONIC, &e, &none));
    its big = {0, 0, 100, 0};
    SC(SYS_timer_settime, none, 0, &big, 0);
    SC(SYS_timer_gettime, none, &o);
    say("left %d", o.v_s == 99 || o.v_s == 100);
    int p2 = fork();
    if (!p2) {
        pr("not the child's", SC(SYS_timer_gettime, none, &o));
        SC(SYS_exit_group, 0);
    }
    wt(p2);
}
static void cpu(void) {
    struct itimerval t = {{0, 0}, {0, 30000}}, o, z = {{0, 0}, {0, 0}};
    handle(SIGVTALRM);
    handle(SIGPROF);
    handle(SIGXCPU);
    pr("itimer 3", SC(SYS_setitimer, 3, &t, 0));
    hits = 0;
    pr("virtual", SC(SYS_setitimer, ITIMER_VIRTUAL, &t, 0));
    ms(60);
    say("asleep: %d", hits);
    burn(1);
    say("awake: %d %s", hits, sg(got.si_signo));
    t.it_interval.tv_usec = 10000;
    hits = 0;
    pr("prof", SC(SYS_setitimer, ITIMER_PROF, &t, 0));
    pr("getitimer", SC(SYS_getitimer, ITIMER_PROF, &o));
    say("interval %ld, left %d", (long)o.it_interval.tv_usec, o.it_value.tv_usec > 0);
    burn(3);
    say("often: %d %s", hits, sg(got.si_signo));
    SC(SYS_setitimer, ITIMER_PROF, &z, &o);
    int id;
    sev e = {7, SIGUSR1, 0, 0, {0}};
    its c = {0, 0, 0, 30000000};
    hits = 0;
    pr("timer of CPU time", SC(SYS_timer_create, CLOCK_PROCESS_CPUTIME_ID, &e, &id));
    SC(SYS_timer_settime, id, 0, &c, 0);
    ms(50);
    say("asleep: %d", hits);
    burn(1);
    say("awake: %d", hits);
}
static void limited(void) {
    struct rlimit r = {1, 2};
    setrlimit(RLIMIT_CPU, &r);
    hits = 0;
    burn(1);
    say("soft: %s", sg(got.si_signo));
    for (;;)
        __asm__ volatile("");
}
int main(int c, char **v) {
    (void)c;
    begin(v);
    errors();
    fires();
    alarm(15);
    cpu();
    int p = spawn(limited);
    say("hard: %s", ST(wt(p)));
    return done();
}
