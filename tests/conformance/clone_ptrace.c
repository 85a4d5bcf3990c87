// ptrace | 2007 | clone's CLONE_PTRACE and CLONE_UNTRACED: who is attached, with and without the options, and
//   which event is told
#include "t.h"
static int kind;
static int thread(void *a) {
    (void)a;
    SC(SYS_exit, 0);
    return 0;
}
static void child(void) {
    static const ul flags[] = {0, CLONE_PTRACE, CLONE_UNTRACED, CLONE_PTRACE | CLONE_UNTRACED};
    ul f = flags[kind & 3], same = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    block(SIG_BLOCK, SIGCHLD);
    if (kind & 4) {
        char *s = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        clone(thread, s + 65536 - 64, f | same | CLONE_SYSVSEM, 0);
        ms(30);
    } else {
        long q = SC(SYS_clone, f | SIGCHLD, 0, 0, 0, 0);
        if (!q)
            SC(SYS_exit_group, 4);
        SC(SYS_wait4, q, 0, __WALL, 0);
    }
    SC(SYS_exit_group, 3);
}
static void run(const char *n, int k, ul options) {
    kind = k;
    say("%s", n);
    int p = spawn_traced(child);
    PT(SETOPTIONS, p, 0, options);
    PT(CONT, p, 0, 0);
    for (;;) {
        int st = 0;
        ul new = 0;
        long w = W4(-1, &st, __WALL);
        // which of the two stops is seen first is anybody's guess
        if (w == p && WIFSTOPPED(st) && st >> 16) {
            PT(GETEVENTMSG, p, 0, (ul)&new);
            say("  new: %s", ST(wt(new)));
        } else if (w != p && st == 0x137f && options & (k & 4 ? TO_CLONE : TO_FORK) && !(k & 2)) {
            new = w;
            say("  new: %s", ST(st));
            w = p;
            st = wt(p);
        }
        say("  %s: %s", w == p ? "main" : "new", ST(st));
        if (w < 0 || (w == p && !WIFSTOPPED(st)))
            return;
        if (new)
            PT(CONT, new, 0, 0);
        if (WIFSTOPPED(st))
            PT(CONT, w, 0, 0);
    }
}
int main(int c, char **v) {
    begin(v);
    run("fork", 0, 0);
    run("fork, PTRACE", 1, 0);
    run("fork, UNTRACED", 2, 0);
    run("fork, both", 3, 0);
    run("fork, with the option", 0, TO_FORK);
    run("fork, PTRACE, with the option", 1, TO_FORK);
    run("fork, UNTRACED, with the option", 2, TO_FORK);
    run("fork, both, with the option", 3, TO_FORK);
    run("fork, PTRACE, with another option", 1, TO_CLONE | TO_VFORK);
    run("thread", 4, 0);
    run("thread, PTRACE", 5, 0);
    run("thread, UNTRACED", 6, TO_CLONE);
    run("thread, both", 7, TO_CLONE);
    run("thread, PTRACE, with the option", 5, TO_CLONE);
    return done();
}
