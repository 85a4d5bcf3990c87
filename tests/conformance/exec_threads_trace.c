// ptrace | 2.6 (GETEVENTMSG 3.0) | execve by a thread of a traced process: exit events of the others, exec event under
//   the leader's pid with the former tid, nothing is left under the former tid
#include "t.h"
static volatile int ready;
static int idle(void *a) {
    (void)a;
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    dopause();
    return 0;
}
static int do_exec(void *a) {
    char *v[] = {self_path, a, "x", 0}, *e[] = {0};
    while (!ready)
        SC(SYS_sched_yield);
    SC(SYS_execve, self_path, v, e);
    return 0;
}
static void prog(void) {
    mkthread(do_exec, "child");
    mkthread(idle, 0);
    dopause();
}
int main(int c, char **v) {
    if (c == 3)
        return 7;
    begin(v);
    int p = spawn_traced(prog), st;
    PT(SETOPTIONS, p, 0, TO_CLONE | TO_EXEC | TO_EXIT);
    role(p, "leader");
    long execer = 0, n = 0;
    int exits = 0, left = 0;
    PT(CONT, p, 0, 0);
    for (;;) {
        long r = W4(-1, &st, __WALL);
        if (r < 0)
            break;
        if (st >> 8 == (SIGTRAP | 3 << 8)) {
            PT(GETEVENTMSG, r, 0, (ul)&n);
            if (!execer)
                execer = n;
            PT(CONT, r, 0, 0);
        } else if (st >> 8 == (SIGTRAP | 6 << 8) && left == 0) {
            PT(GETEVENTMSG, r, 0, (ul)&n);
            exits++;
            if (n || (r != p && r == execer))
                say("exit event: message %lx", n);
            PT(CONT, r, 0, 0);
        } else if (st >> 8 == (SIGTRAP | 4 << 8)) {
            PT(GETEVENTMSG, r, 0, (ul)&n);
            say("exec event after %d exit events: %s, message is the former tid %d", exits, who(r), n == execer);
            pr("former tid", PT(GETREGS, execer, 0, 0));
            pr("its wait", W4(execer, &st, __WALL | WNOHANG));
            left = 1;
            PT(CONT, r, 0, 0);
        } else if (WIFSTOPPED(st)) {
            int s = st >> 8 & 0xff;
            if (left)
                say("then: %s %s", who(r), ST(st));
            PT(CONT, r, 0, s == SIGSTOP || st >> 16 ? 0 : s);
        } else {
            if (r == p)
                say("end: %s %s", who(r), ST(st));
            else
                say("thread: %s", ST(st));
        }
    }
    return done();
}
