// process | 2.6 | execve in a process with threads: the others are gone, a thread that is not the leader becomes it,
//   joiners and waiters see one process, a failed exec changes nothing
#include "t.h"
static volatile int ready;
static int idle(void *a) {
    (void)a;
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    dopause();
    return 0;
}
static int busy(void *a) {
    (void)a;
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    spin();
    return 0;
}
static int sleeper(void *a) {
    (void)a;
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    for (;;)
        ms(1000);
    return 0;
}
static void others(void) {
    for (int i = 0; i < 4; i++) {
        mkthread(idle, 0);
        mkthread(busy, 0);
        mkthread(sleeper, 0);
    }
    while (ready < 12)
        SC(SYS_sched_yield);
}
static int do_exec(void *a) {
    char pid[16];
    sprintf(pid, "%ld", me());
    char *v[] = {self_path, a, pid, 0}, *e[] = {0};
    long r = SC(SYS_execve, "/nonexistent/file", v, e);
    char b[64];
    int same = SC(SYS_gettid) == me();
    sprintf(b, "%s: missing file: %s, %s\n", (char *)a, er(r), same ? "leader" : "thread");
    if (write(1, b, strlen(b)) < 0) {
    }
    SC(SYS_execve, self_path, v, e);
    SC(SYS_exit, 99);
    return 0;
}
static void from_leader(void) {
    others();
    do_exec("leader");
}
static void from_thread(void) {
    others();
    mkthread(do_exec, "thread");
    dopause();
}
static void leader_gone(void) {
    others();
    mkthread(do_exec, "orphan");
    SC(SYS_exit, 5);
}
static void from_vfork(void) {
    others();
    int p = vfork();
    if (!p)
        do_exec("vfork");
    say("vfork child: %s", ST(wt(p)));
    say("threads of its parent live: %d", (int)SC(SYS_tgkill, me(), me(), 0));
    SC(SYS_exit_group, 0);
}
int main(int c, char **v) {
    if (c == 3) {
        int pid = atoi(v[2]);
        int n = 0;
        for (int t = pid + 1; t < pid + 30; t++)
            n += SC(SYS_tgkill, pid, t, 0) == 0;
        say("%s: same pid %d, tid is pid %d, other threads %d", v[1], me() == pid, SC(SYS_gettid) == me(), n);
        return 7;
    }
    begin(v);
    role(spawn(from_leader), "A");
    say("%s", ST(wt(-1)));
    spawn(from_thread);
    say("%s", ST(wt(-1)));
    spawn(leader_gone);
    say("%s", ST(wt(-1)));
    spawn(from_vfork);
    say("%s", ST(wt(-1)));
    return done();
}
