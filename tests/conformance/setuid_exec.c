// process; Linux 3.5+; execve of set-user-id and set-group-id programs: ids, capabilities, AT_SECURE, dumpable, and
//   what takes the privilege away: no_new_privs, a shared working directory, a script, an unprivileged tracer.
#include "t.h"
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static char dir[64], prog[128], script[128];
static void show(void) {
    unsigned u[3], g[3], h[2] = {0x20080522, 0}, d[6] = {0};
    SC(SYS_getresuid, &u[0], &u[1], &u[2]);
    SC(SYS_getresgid, &g[0], &g[1], &g[2]);
    SC(SYS_capget, h, d);
    int sig = -1;
    SC(SYS_prctl, PR_GET_PDEATHSIG, &sig);
    say("  uid %u %u %u gid %u %u %u caps %s secure %lu aux %lu %lu %lu %lu dumpable %ld pdeath %d nnp %ld", u[0], u[1],
        u[2], g[0], g[1], g[2], d[0] & 32 ? "yes" : "no", getauxval(AT_SECURE), getauxval(AT_UID),
        getauxval(AT_EUID), getauxval(AT_GID), getauxval(AT_EGID), SC(SYS_prctl, PR_GET_DUMPABLE), sig,
        SC(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}
static void copy_self(void) {
    static char b[65536];
    int i = open("/proc/self/exe", O_RDONLY), o = open(prog, O_WRONLY | O_CREAT | O_TRUNC, 0755), n;
    while ((n = read(i, b, sizeof b)) > 0)
        if (write(o, b, n) != n)
            say("copy");
    close(i);
    close(o);
}
static void mode(unsigned u, unsigned g, unsigned m) {
    if (chown(prog, u, g) || chmod(prog, m))
        say("mode failed");
}
static void become(unsigned id) {
    SC(SYS_setgroups, 0, 0);
    SC(SYS_setresgid, id, id, id);
    SC(SYS_setresuid, id, id, id);
}
static void run(const char *p) {
    char *a[] = {(char *)p, "show", 0}, *e[] = {0};
    long r = SC(SYS_execve, p, a, e);
    say("  exec: %s", R(r));
    SC(SYS_exit_group, 1);
}
static void plain(void) {
    become(1000);
    SC(SYS_prctl, PR_SET_PDEATHSIG, SIGUSR1);
    run(prog);
}
static void nnp(void) {
    become(1000);
    SC(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    run(prog);
}
static void as_root(void) {
    run(prog);
}
static void root_nnp(void) {
    SC(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    run(prog);
}
static void differing(void) {
    SC(SYS_setresgid, 1000, 1000, 1000);
    SC(SYS_setresuid, 1000, 1001, 1001);
    run(prog);
}
static void by_script(void) {
    become(1000);
    run(script);
}
static int idle(void *p) {
    (void)p;
    for (;;)
        SC(SYS_pause);
}
static void shared1(void) {
    become(1000);
    static char stack[65536];
    int c = clone(idle, stack + sizeof stack - 64, CLONE_FS | SIGCHLD, 0);
    int p = fork();
    if (!p) {
        // a fork copies the directory: it is its own
        run(prog);
    }
    wt(p);
    char b[16];
    sprintf(b, "%d", c);
    char *a[] = {prog, "show", b, 0}, *e[] = {0};
    SC(SYS_execve, prog, a, e);
}
static void traced_self(void) {
    become(1000);
    PT(TRACEME, 0, 0, 0);
    run(prog);
}
static void tracer(void) {
    become(1000);
    int p = spawn(traced_self);
    int st = wt(p);
    say("  tracer sees %s", ST(st));
    pr("  cont", PT(CONT, p, 0, 0));
    say("  %s", ST(wt(p)));
}
static void root_attaches(void) {
    int p = fork();
    if (!p) {
        become(1000);
        selfsig(SIGSTOP);
        run(prog);
    }
    int st;
    W4(p, &st, WUNTRACED);
    pr("  seize", PT(SEIZE, p, 0, 0));
    SC(SYS_kill, p, SIGCONT);
    while ((st = wt(p)) >= 0 && WIFSTOPPED(st))
        PT(CONT, p, 0, 0);
    say("  %s", ST(st));
}
static void traceme_of_root(void) {
    // The tracee itself asked, so its own right counts, not its parent's.
    int p = spawn(traced_self);
    int st = wt(p);
    say("  tracer sees %s", ST(st));
    PT(CONT, p, 0, 0);
    say("  %s", ST(wt(p)));
}
static void unreadable(void) {
    become(1000);
    run(prog);
}
static void go(const char *name, void (*f)(void)) {
    say("%s", name);
    int st = wt(spawn(f));
    if (st)
        say("  %s", ST(st));
}
int main(int c, char **v) {
    begin(v);
    if (c > 1) {
        show();
        if (c > 2 && v[2][0] != 0x2f)
            kill(atoi(v[2]), SIGKILL);
        return 0;
    }
    SC(SYS_setgroups, 0, 0);
    umask(022);
    strcpy(dir, "/tmp/setuid_XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    chmod(dir, 0755);
    sprintf(prog, "%s/prog", dir);
    sprintf(script, "%s/script", dir);
    copy_self();
    mode(0, 0, 0755);
    go("plain", plain);
    mode(0, 0, 04755);
    go("set-user-id root", plain);
    go("set-user-id root, run by root", as_root);
    mode(1001, 1002, 06755);
    go("set-user-id and set-group-id", plain);
    go("the same, run by root", as_root);
    go("the same, run by root without new privileges", root_nnp);
    go("the same, run by who is half somebody else", differing);
    mode(0, 1002, 02755);
    go("set-group-id", plain);
    mode(0, 1002, 02745);
    go("set-group-id without execute for the group", plain);
    mode(0, 0, 04755);
    go("no new privileges", nnp);
    go("working directory shared", shared1);
    go("traced by its user", tracer);
    go("seized by root", root_attaches);
    go("traced by root at its own wish", traceme_of_root);
    mode(0, 0, 0711);
    go("unreadable", unreadable);
    mode(0, 0, 04711);
    go("unreadable set-user-id", unreadable);
    int f = open(script, O_WRONLY | O_CREAT, 0755);
    mode(0, 0, 0755);
    char line[160];
    int n = sprintf(line, "#!%s show\n", prog);
    if (write(f, line, n) != n)
        return 1;
    close(f);
    chmod(script, 04755);
    go("a set-user-id script", by_script);
    mode(0, 0, 04755);
    chmod(script, 0755);
    go("a script of a set-user-id interpreter", by_script);
    unlink(prog);
    unlink(script);
    rmdir(dir);
    return done();
}
