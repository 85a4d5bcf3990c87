// process | 5.5 (clone3, CLEAR_SIGHAND) | clone and clone3: which flags and sizes are refused, CLONE_PARENT, tids stored and
//   cleared, handlers cleared, the exit signal
#include "t.h"
#include <linux/futex.h>
struct ca {
    ul flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup, more[4];
};
static long c3(struct ca a, ul size) {
    long r = SC(SYS_clone3, &a, size);
    if (!r)
        SC(SYS_exit_group, 9);
    return r;
}
static void child(const char *n, long p) {
    if (p > 0)
        say("%s: child %s", n, ST(wt(p)));
    else
        pr(n, p);
}
#define A(...) ((struct ca){__VA_ARGS__})
static void refused(void) {
    pr("thread without sighand", SC(SYS_clone, CLONE_VM | CLONE_THREAD, 0, 0, 0, 0));
    pr("sighand without vm", SC(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0));
    pr("thread alone", SC(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
    pr("newns with fs", SC(SYS_clone, CLONE_NEWNS | CLONE_FS, 0, 0, 0, 0));
    pr("size 63", c3(A(.exit_signal = SIGCHLD), 63));
    pr("size 4097", c3(A(.exit_signal = SIGCHLD), 4097));
    pr("null", SC(SYS_clone3, 0, 64));
    child("size 64", c3(A(.exit_signal = SIGCHLD), 64));
    child("size 88", c3(A(.exit_signal = SIGCHLD), 88));
    child("size 104, zeros", c3(A(.exit_signal = SIGCHLD), 104));
    pr("size 104, more", c3(A(.exit_signal = SIGCHLD, .more = {0, 1}), 104));
    pr("signal in flags", c3(A(.flags = SIGCHLD), 88));
    pr("signal 65", c3(A(.exit_signal = 65), 88));
    pr("signal 257", c3(A(.exit_signal = 257), 88));
    pr("detached", c3(A(.flags = CLONE_DETACHED), 88));
    pr("unknown flag", c3(A(.flags = 1ul << 40), 88));
    pr("both sighands", c3(A(.flags = CLONE_VM | CLONE_SIGHAND | 0x100000000), 88));
    pr("thread with signal", c3(A(.flags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, .exit_signal = SIGCHLD), 88));
    pr("parent with signal", c3(A(.flags = CLONE_PARENT, .exit_signal = SIGCHLD), 88));
    pr("stack without size", c3(A(.stack = 4096, .exit_signal = SIGCHLD), 88));
    pr("size without stack", c3(A(.stack_size = 4096, .exit_signal = SIGCHLD), 88));
    pr("set_tid size", c3(A(.set_tid = 8, .set_tid_size = 0), 88));
    pr("set_tid null", c3(A(.set_tid_size = 1), 88));
    pr("set_tid too many", c3(A(.set_tid = 8, .set_tid_size = 99), 88));
}
static int word, ctid = -1, ptid = -1;
static void on(int s) {
    (void)s;
}
static void made(void) {
    int p = SC(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 0, &ptid, &ctid, 0);
    if (!p)
        SC(SYS_exit_group, ctid == me() ? 1 : 2);
    say("parent has it %d, not the child's %d", ptid == p, ctid == p);
    child("child has it", p);
    char *st = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)st;
    onsig(SIGUSR1, on, 0);
    onsig(SIGUSR2, SIG_IGN, 0);
    struct ca a = {.flags = 0x100000000, .exit_signal = SIGCHLD};
    p = SC(SYS_clone3, &a, 88);
    if (!p) {
        selfsig(SIGUSR2);
        selfsig(SIGUSR1);
        SC(SYS_exit_group, 3);
    }
    child("cleared handlers", p);
    p = fork();
    if (!p) {
        int q = SC(SYS_clone, CLONE_PARENT, 0, 0, 0, 0);
        if (!q) {
            ms(20);
            SC(SYS_exit_group, 4);
        }
        int st;
        pr("not a child of the one that made it", W4(q, &st, __WALL));
        SC(SYS_exit_group, q > 0 ? 5 : 6);
    }
    child("maker", p);
    int s = 0;
    long r = W4(-1, &s, 0);
    say("child of the grandparent %d %s", r > 0 && r != p, ST(s));
    p = SC(SYS_clone, SIGUSR1, 0, 0, 0, 0);
    if (!p)
        SC(SYS_exit_group, 7);
    ms(20);
    pr("other exit signal", W4(p, &s, WNOHANG));
    say("with __WALL: %s", ST(wt(p)));
    p = SC(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
    if (!p) {
        word = 5;
        SC(SYS_exit_group, 8);
    }
    say("vfork with vm: %d", word);
}
int main(int c, char **v) {
    (void)c;
    begin(v);
    refused();
    made();
    return done();
}
