// process; Linux 6.12+; nicenesses, policies and I/O priorities: who may set whose, limits of 0, what a
//   fork inherits.
#include "t.h"
struct attr {
    unsigned size, policy;
    ul flags;
    int nice;
    unsigned priority;
    ul runtime, deadline, period;
    unsigned clamp[2];
};
static void become(unsigned u) {
    SC(SYS_setgroups, 0, 0);
    SC(SYS_setresgid, u, u, u);
    SC(SYS_setresuid, u, u, u);
}
static void in(const char *name, void (*f)(void)) {
    say("%s", name);
    int p = fork();
    if (!p) {
        f();
        SC(SYS_exit_group, 0);
    }
    wt(p);
}
static long policy(int pid, int what, int priority) {
    return SC(SYS_sched_setscheduler, pid, what, &priority);
}
static void show(int pid) {
    int priority = -1;
    SC(SYS_sched_getparam, pid, &priority);
    struct attr a = {0};
    long r = SC(SYS_sched_getattr, pid, &a, sizeof a, 0);
    say("  policy %lx priority %d nice %ld attr %ld: %u %u %lx %d %u", SC(SYS_sched_getscheduler, pid), priority,
        20 - SC(SYS_getpriority, 0, pid), r, a.size, a.policy, a.flags, a.nice, a.priority);
}
static void shown_by_proc(void) {
    char b[1024];
    int fd = open("/proc/self/stat", O_RDONLY);
    int n = read(fd, b, sizeof b - 1);
    close(fd);
    b[n > 0 ? n : 0] = 0;
    char *at = strrchr(b, ')');
    char *field[64] = {0};
    int i = 2;
    for (char *w = strtok(at, " "); w && i < 60; w = strtok(0, " "))
        field[i++] = w;
    say("  stat: priority %s nice %s rt %s policy %s", field[18], field[19], field[40], field[41]);
}
static void policies(void) {
    pr("fifo 0", policy(0, SCHED_FIFO, 0));
    pr("fifo 100", policy(0, SCHED_FIFO, 100));
    pr("fifo -1", policy(0, SCHED_FIFO, -1));
    pr("other 1", policy(0, SCHED_OTHER, 1));
    pr("unknown", policy(0, 4, 0));
    pr("unknown", policy(0, 77, 0));
    pr("negative", policy(0, -1, 0));
    pr("no parameter", SC(SYS_sched_setscheduler, 0, SCHED_FIFO, 0));
    pr("bad parameter", SC(SYS_sched_setscheduler, 0, SCHED_FIFO, 8));
    pr("nobody", policy(4000000, SCHED_FIFO, 1));
    pr("negative pid", policy(-1, SCHED_FIFO, 1));
    pr("negative pid, affinity", SC(SYS_sched_getaffinity, -1, 128, malloc(128)));
    pr("getscheduler negative", SC(SYS_sched_getscheduler, -1));
    pr("getscheduler nobody", SC(SYS_sched_getscheduler, 4000000));
    pr("getparam nothing", SC(SYS_sched_getparam, 0, 0));
    pr("batch", policy(0, SCHED_BATCH, 0));
    show(0);
    shown_by_proc();
    pr("rr 7", policy(0, SCHED_RR, 7));
    show(0);
    shown_by_proc();
    int priority = 9;
    pr("setparam", SC(SYS_sched_setparam, 0, &priority));
    show(0);
    pr("reset on fork", policy(0, SCHED_RR | 0x40000000, 7));
    show(0);
    int p = fork();
    if (!p) {
        say(" child");
        show(0);
        SC(SYS_exit_group, 0);
    }
    wt(p);
    pr("other", policy(0, SCHED_OTHER, 0));
    priority = 1;
    pr("setparam", SC(SYS_sched_setparam, 0, &priority));
    SC(SYS_setpriority, 0, 0, 5);
    pr("idle", policy(0, SCHED_IDLE, 0));
    show(0);
    shown_by_proc();
    ul interval[2] = {7, 7};
    policy(0, SCHED_RR, 1);
    pr("rr interval", SC(SYS_sched_rr_get_interval, 0, interval));
    say("  %ld %ld", interval[0], interval[1]);
    policy(0, SCHED_FIFO, 1);
    pr("fifo interval", SC(SYS_sched_rr_get_interval, 0, interval));
    say("  %ld %ld", interval[0], interval[1]);
    pr("interval negative", SC(SYS_sched_rr_get_interval, -1, interval));
    pr("interval bad", SC(SYS_sched_rr_get_interval, 0, 8));
    say("range %ld %ld %ld %ld", SC(SYS_sched_get_priority_max, 1), SC(SYS_sched_get_priority_min, 2),
        SC(SYS_sched_get_priority_max, 0), SC(SYS_sched_get_priority_max, 6));
}
static void limited(void) {
    become(1000);
    show(0);
    pr("nicer", SC(SYS_setpriority, 0, 0, 10));
    pr("better", SC(SYS_setpriority, 0, 0, 4));
    show(0);
    pr("fifo 10", policy(0, SCHED_FIFO, 10));
    pr("fifo 11", policy(0, SCHED_FIFO, 11));
    pr("idle", policy(0, SCHED_IDLE, 0));
    pr("back", policy(0, SCHED_OTHER, 0));
    SC(SYS_setpriority, 0, 0, 19);
    pr("better", SC(SYS_setpriority, 0, 0, 18));
    pr("clamped", SC(SYS_setpriority, 0, 0, 400));
    pr("fifo", policy(0, SCHED_FIFO, 1));
    pr("idle", policy(0, SCHED_IDLE, 0));
    pr("back", policy(0, SCHED_OTHER, 0));
    pr("reset", policy(0, SCHED_IDLE | 0x40000000, 0));
    pr("not any more", policy(0, SCHED_IDLE, 0));
    show(0);
}
static int other;
static void others(void) {
    become(1000);
    pr("niceness of root's", SC(SYS_setpriority, 0, other, 10));
    pr("policy of root's", policy(other, SCHED_BATCH, 0));
    pr("affinity of root's", SC(SYS_sched_setaffinity, other, 8, (ul[]){1}));
    pr("I/O of root's", SC(SYS_ioprio_set, 1, other, 2 << 13));
    show(other);
    pr("what", SC(SYS_setpriority, 3, 0, 10));
    pr("nobody", SC(SYS_setpriority, 0, 4000000, 10));
    pr("no group", SC(SYS_setpriority, 1, 4000000, 10));
    pr("no user", SC(SYS_setpriority, 2, 987654, 10));
    pr("no user's", SC(SYS_getpriority, 2, 987654));
}
static void sets(void) {
    struct attr a = {sizeof a, SCHED_OTHER, 0, -7};
    pr("nice", SC(SYS_sched_setattr, 0, &a, 0));
    show(0);
    a.nice = 99;
    pr("nice", SC(SYS_sched_setattr, 0, &a, 0));
    show(0);
    a.priority = 3;
    pr("priority", SC(SYS_sched_setattr, 0, &a, 0));
    a.policy = SCHED_FIFO;
    pr("fifo", SC(SYS_sched_setattr, 0, &a, 0));
    show(0);
    a = (struct attr){sizeof a, 77, 8, 3};
    pr("keep policy", SC(SYS_sched_setattr, 0, &a, 0));
    a.priority = 5;
    pr("keep policy", SC(SYS_sched_setattr, 0, &a, 0));
    show(0);
    a = (struct attr){sizeof a, SCHED_OTHER, 0x10, 3};
    pr("keep parameters", SC(SYS_sched_setattr, 0, &a, 0));
    a = (struct attr){sizeof a, SCHED_OTHER, 1, 3};
    pr("reset on fork", SC(SYS_sched_setattr, 0, &a, 0));
    show(0);
    a.nice = -3;
    SC(SYS_sched_setattr, 0, &a, 0);
    int p = fork();
    if (!p) {
        say(" child");
        show(0);
        SC(SYS_exit_group, 0);
    }
    wt(p);
    a = (struct attr){sizeof a, SCHED_DEADLINE};
    pr("no deadline", SC(SYS_sched_setattr, 0, &a, 0));
    a = (struct attr){sizeof a, SCHED_OTHER, 0x80};
    pr("flags", SC(SYS_sched_setattr, 0, &a, 0));
    a = (struct attr){sizeof a, -5};
    pr("negative", SC(SYS_sched_setattr, 0, &a, 0));
    a = (struct attr){0, SCHED_OTHER, 0, 1};
    pr("no size", SC(SYS_sched_setattr, 0, &a, 0));
    a.size = 40;
    pr("small", SC(SYS_sched_setattr, 0, &a, 0));
    say("  %u", a.size);
    a.size = 48;
    pr("first size", SC(SYS_sched_setattr, 0, &a, 0));
    static char large[5000];
    struct attr *l = (struct attr *)large;
    l->size = 200;
    pr("large", SC(SYS_sched_setattr, 0, l, 0));
    large[150] = 1;
    pr("large with what is not known", SC(SYS_sched_setattr, 0, l, 0));
    say("  %u", l->size);
    l->size = 5000;
    pr("too large", SC(SYS_sched_setattr, 0, l, 0));
    pr("flags", SC(SYS_sched_setattr, 0, &a, 1));
    pr("nothing", SC(SYS_sched_setattr, 0, 0, 0));
    pr("bad", SC(SYS_sched_setattr, 0, 8, 0));
    pr("nobody", SC(SYS_sched_setattr, 4000000, &a, 0));
    pr("get small", SC(SYS_sched_getattr, 0, &a, 47, 0));
    pr("get large", SC(SYS_sched_getattr, 0, large, 4096, 0));
    say("  %u", l->size);
    pr("get too large", SC(SYS_sched_getattr, 0, large, 4097, 0));
    pr("get nobody", SC(SYS_sched_getattr, 4000000, large, 56, 0));
    become(1000);
    a = (struct attr){sizeof a, SCHED_OTHER, 1, -4};
    pr("better", SC(SYS_sched_setattr, 0, &a, 0));
    a.nice = 2;
    pr("worse", SC(SYS_sched_setattr, 0, &a, 0));
    a.flags = 0;
    pr("no reset", SC(SYS_sched_setattr, 0, &a, 0));
    a = (struct attr){sizeof a, SCHED_DEADLINE, 0, 0, 0, 1000000, 2000000, 2000000};
    pr("deadline", SC(SYS_sched_setattr, 0, &a, 0));
}
static void groups(void) {
    SC(SYS_setpgid, 0, 0);
    become(1003);
    int p = fork();
    if (!p) {
        pause();
        SC(SYS_exit_group, 0);
    }
    pr("group", SC(SYS_setpriority, 1, 0, 3));
    show(p);
    pr("user", SC(SYS_setpriority, 2, 0, 4));
    show(p);
    pr("user by name", SC(SYS_setpriority, 2, 1003, 6));
    show(p);
    SC(SYS_setpriority, 0, p, 9);
    say("best %ld %ld", 20 - SC(SYS_getpriority, 1, 0), 20 - SC(SYS_getpriority, 2, 1003));
    kill(p, SIGKILL);
    wt(p);
}
static void io(void) {
    pr("get", SC(SYS_ioprio_get, 1, 0));
    pr("real-time", SC(SYS_ioprio_set, 1, 0, 1 << 13 | 2));
    pr("get", SC(SYS_ioprio_get, 1, 0));
    int p = fork();
    if (!p) {
        pr(" child", SC(SYS_ioprio_get, 1, 0));
        SC(SYS_exit_group, 0);
    }
    wt(p);
    pr("idle", SC(SYS_ioprio_set, 1, 0, 3 << 13));
    pr("get", SC(SYS_ioprio_get, 1, 0));
    pr("none", SC(SYS_ioprio_set, 1, 0, 0));
    pr("get", SC(SYS_ioprio_get, 1, 0));
    pr("none of a level", SC(SYS_ioprio_set, 1, 0, 3));
    pr("class", SC(SYS_ioprio_set, 1, 0, 4 << 13));
    pr("whose", SC(SYS_ioprio_set, 4, 0, 2 << 13));
    pr("nobody", SC(SYS_ioprio_set, 1, 4000000, 2 << 13));
    pr("get whose", SC(SYS_ioprio_get, 4, 0));
    pr("get nobody", SC(SYS_ioprio_get, 1, 4000000));
    become(1000);
    pr("real-time", SC(SYS_ioprio_set, 1, 0, 1 << 13 | 2));
    pr("best effort", SC(SYS_ioprio_set, 1, 0, 2 << 13 | 6));
    pr("get", SC(SYS_ioprio_get, 1, 0));
}
int main(int c, char **v) {
    begin(v);
    other = getpid();
    in("policies", policies);
    in("limited", limited);
    in("others", others);
    in("attributes", sets);
    in("groups", groups);
    in("I/O", io);
    return done();
}
