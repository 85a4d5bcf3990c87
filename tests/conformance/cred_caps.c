// process; Linux 4.3+; capset(2), the bounding and ambient sets, securebits, KEEPCAPS, and what an exec makes of capabilities.
#include "t.h"
#include <sys/prctl.h>

enum { CHOWN = 1, KILL = 1 << 5, SETGID = 1 << 6, SETUID = 1 << 7, SETPCAP = 1 << 8 };
static unsigned h[2] = {0x20080522, 0};
static long set(unsigned e, unsigned p, unsigned i) {
    unsigned d[6] = {e, p, i, 0, 0, 0};
    h[0] = 0x20080522, h[1] = 0;
    return SC(SYS_capset, h, d);
}
static const char *bits(unsigned w) {
    char *b = rot(), *p = b;
    if (w & CHOWN)
        *p++ = 'c';
    if (w & KILL)
        *p++ = 'k';
    if (w & SETGID)
        *p++ = 'g';
    if (w & SETUID)
        *p++ = 'u';
    if (w & SETPCAP)
        *p++ = 'p';
    if (p == b)
        *p++ = '-';
    *p = 0;
    return b;
}
static void show(const char *what, long r) {
    unsigned d[6] = {0};
    h[0] = 0x20080522, h[1] = 0;
    SC(SYS_capget, h, d);
    unsigned b = 0, a = 0;
    for (int i = 0; i < 9; i++) {
        b |= (unsigned)SC(SYS_prctl, PR_CAPBSET_READ, i) << i;
        a |= (unsigned)SC(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) << i;
    }
    say("%s: %s; e %s p %s i %s b %s a %s", what, R(r), bits(d[0]), bits(d[1]), bits(d[2]), bits(b), bits(a));
}
static void again(const char *how) {
    char *a[] = {self_path, (char *)how, 0}, *e[] = {0};
    execve(self_path, a, e);
    say("exec failed");
}
static void capset_rules(void) {
    show("at first", 0);
    show("less effective", set(KILL | SETUID, KILL | SETUID | CHOWN, 0));
    show("effective beyond permitted", set(SETGID, KILL, 0));
    show("more permitted", set(0, KILL | SETGID, 0));
    show("inheritable of permitted", set(KILL, KILL | SETUID | CHOWN, CHOWN));
    show("inheritable beyond", set(KILL, KILL | SETUID | CHOWN, SETGID));
    show("all effective again", set(KILL | SETUID | CHOWN, KILL | SETUID | CHOWN, CHOWN));
    h[0] = 0x20080522, h[1] = getppid();
    unsigned d[6] = {0};
    pr("of somebody else", SC(SYS_capset, h, d));
    pr("get of somebody else", SC(SYS_capget, h, d));
    h[1] = -1;
    pr("get of -1", SC(SYS_capget, h, d));
    h[1] = 999999;
    pr("get of nobody", SC(SYS_capget, h, d));
    h[0] = 7, h[1] = 0;
    pr("version 7", SC(SYS_capget, h, d));
    say("it is %x", h[0]);
    h[0] = 7;
    pr("version 7, asking", SC(SYS_capget, h, 0));
    h[0] = 0x19980330;
    pr("version 1", SC(SYS_capget, h, d));
    pr("bad address", SC(SYS_capget, 8, d));
}
static void bounding(void) {
    show("dropped", SC(SYS_prctl, PR_CAPBSET_DROP, 5));
    pr("drop of none", SC(SYS_prctl, PR_CAPBSET_DROP, 63));
    pr("read of none", SC(SYS_prctl, PR_CAPBSET_READ, 63));
    show("inheritable beyond bounding", set(KILL | SETPCAP, KILL | SETPCAP, KILL));
    set(0, KILL, 0);
    pr("without CAP_SETPCAP", SC(SYS_prctl, PR_CAPBSET_DROP, 6));
    again("show");
}
static void ambient(void) {
    pr("not inheritable", SC(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 5, 0, 0));
    show("inheritable", set(KILL | SETUID, KILL | SETUID, KILL));
    show("raised", SC(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 5, 0, 0));
    pr("not permitted", SC(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 0, 0, 0));
    pr("unknown", SC(SYS_prctl, PR_CAP_AMBIENT, 9, 5, 0, 0));
    pr("no capability", SC(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 70, 0, 0));
    pr("too much", SC(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 5, 1, 0));
    SC(SYS_prctl, PR_SET_KEEPCAPS, 1);
    show("another user", SC(SYS_setresuid, 1000, 1000, 1000));
    set(KILL, KILL, KILL);
    show("raised", SC(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 5, 0, 0));
    int p = fork();
    if (!p) {
        again("show");
        _exit(1);
    }
    wt(p);
    show("lowered", SC(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, 5, 0, 0));
    SC(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 5, 0, 0);
    show("inheritable gone", set(KILL, KILL, 0));
    set(KILL, KILL, KILL);
    SC(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 5, 0, 0);
    show("all cleared", SC(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    again("show");
}
static void keepcaps(void) {
    pr("keepcaps", SC(SYS_prctl, PR_GET_KEEPCAPS));
    pr("set 2", SC(SYS_prctl, PR_SET_KEEPCAPS, 2));
    pr("set 1", SC(SYS_prctl, PR_SET_KEEPCAPS, 1));
    pr("keepcaps", SC(SYS_prctl, PR_GET_KEEPCAPS));
    pr("securebits", SC(SYS_prctl, PR_GET_SECUREBITS));
    set(KILL | SETUID, KILL | SETUID, 0);
    show("another user", SC(SYS_setresuid, 1000, 1000, 1000));
    show("effective again", set(KILL, KILL | SETUID, 0));
    again("keep");
}
static void securebits(void) {
    pr("NO_SETUID_FIXUP and NOROOT", SC(SYS_prctl, PR_SET_SECUREBITS, 5));
    pr("unknown", SC(SYS_prctl, PR_SET_SECUREBITS, 1 << 20));
    pr("locked", SC(SYS_prctl, PR_SET_SECUREBITS, 7));
    pr("unlock", SC(SYS_prctl, PR_SET_SECUREBITS, 5));
    pr("clear the locked", SC(SYS_prctl, PR_SET_SECUREBITS, 6));
    pr("clear the other and keep the lock", SC(SYS_prctl, PR_SET_SECUREBITS, 3));
    pr("securebits", SC(SYS_prctl, PR_GET_SECUREBITS));
    set(KILL | SETUID, KILL | SETUID, 0);
    pr("without CAP_SETPCAP", SC(SYS_prctl, PR_SET_SECUREBITS, 3));
    again("show");
}
static void nofixup(void) {
    pr("NO_SETUID_FIXUP", SC(SYS_prctl, PR_SET_SECUREBITS, 4));
    set(KILL | SETUID, KILL | SETUID, 0);
    show("another user", SC(SYS_setresuid, 1000, 1000, 1000));
    show("root again", SC(SYS_setresuid, 0, 0, 0));
    set(KILL, KILL, 0);
    again("show");
}
static void root_by_real(void) {
    set(KILL | SETUID, KILL | SETUID, KILL);
    show("effective user only", SC(SYS_setresuid, 0, 1000, 1000));
    again("show");
}
static void run(const char *name, void (*f)(void)) {
    say("-- %s", name);
    wt(spawn(f));
}
int main(int c, char **v) {
    begin(v);
    if (c > 1) {
        if (!strcmp(v[1], "keep"))
            pr("keepcaps after exec", SC(SYS_prctl, PR_GET_KEEPCAPS));
        show("after exec", 0);
        return 0;
    }
    run("capset", capset_rules);
    run("bounding", bounding);
    run("ambient", ambient);
    run("keepcaps", keepcaps);
    run("securebits", securebits);
    run("no fixup", nofixup);
    run("root by its real id", root_by_real);
    return done();
}
