// process; Linux 2.6+; setuid(2) and its relatives: which ids change, who may, and what becomes of capabilities.
#include "t.h"
#include <sys/prctl.h>

static unsigned caps(int which) {
    unsigned h[2] = {0x20080522, 0}, d[6];
    if (SC(SYS_capget, h, d))
        return 0xdead;
    // CAP_KILL, CAP_CHOWN and CAP_SETUID stand for all
    return (d[which] & 1) | (d[which] >> 4 & 2) | (d[which] >> 5 & 4);
}
static void ids(const char *what, long r) {
    unsigned u[3], g[3];
    SC(SYS_getresuid, &u[0], &u[1], &u[2]);
    SC(SYS_getresgid, &g[0], &g[1], &g[2]);
    unsigned fu = SC(SYS_setfsuid, -1), fg = SC(SYS_setfsgid, -1);
    say("%s: %s; uid %u %u %u %u gid %u %u %u %u; eff %u perm %u", what, R(r), u[0], u[1], u[2], fu, g[0], g[1],
        g[2], fg, caps(0), caps(1));
}
#define T(call) ids(#call, call)
#define setuid_(a) SC(SYS_setuid, a)
#define setgid_(a) SC(SYS_setgid, a)
#define setreuid_(a, b) SC(SYS_setreuid, a, b)
#define setregid_(a, b) SC(SYS_setregid, a, b)
#define setresuid_(a, b, c) SC(SYS_setresuid, a, b, c)
#define setresgid_(a, b, c) SC(SYS_setresgid, a, b, c)
#define setfsuid_(a) SC(SYS_setfsuid, a)
#define setfsgid_(a) SC(SYS_setfsgid, a)

static void root_for_good(void) {
    T(setgid_(1000));
    T(setuid_(1000));
    T(setuid_(0));
    T(setgid_(0));
    T(setresuid_(-1, -1, -1));
    T(setuid_(-1));
    T(setfsuid_(0));
    pr("dumpable", SC(SYS_prctl, PR_GET_DUMPABLE));
}
static void away_and_back(void) {
    T(setresuid_(-1, 1000, -1));
    pr("dumpable", SC(SYS_prctl, PR_GET_DUMPABLE));
    T(setresuid_(0, 1000, 0));
    T(setresgid_(-1, 5, -1));
    T(setuid_(0));
    T(setresuid_(1000, 1000, 0));
    T(setresuid_(-1, 0, -1));
    T(setresuid_(1000, 1001, 1002));
    T(setresuid_(1001, 1002, 1000));
    T(setresuid_(-1, 1003, -1));
    T(setresuid_(0, -1, -1));
    T(setreuid_(1002, 1001));
    T(setreuid_(-1, 1002));
    T(setreuid_(1000, -1));
}
static void setreuid_rules(void) {
    T(setregid_(5, 6));
    T(setregid_(-1, 5));
    T(setreuid_(5, 6));
    T(setreuid_(6, 5));
    T(setreuid_(-1, 6));
    T(setreuid_(-1, 5));
    T(setreuid_(7, -1));
    T(setregid_(6, 5));
    T(setregid_(-1, 6));
    T(setregid_(9, -1));
    T(setgid_(5));
}
static void fsuid_rules(void) {
    T(setfsuid_(7));
    T(setfsgid_(8));
    pr("dumpable", SC(SYS_prctl, PR_GET_DUMPABLE));
    T(setfsuid_(0));
    T(setresuid_(1, 2, 3));
    T(setfsuid_(1));
    T(setfsuid_(4));
    T(setfsuid_(3));
    T(setfsgid_(8));
    T(setresuid_(-1, 2, -1));
}
static void groups(void) {
    unsigned g[4] = {9, 3, 3, 7};
    pr("setgroups", SC(SYS_setgroups, 4, g));
    memset(g, 0, sizeof g);
    pr("getgroups 0", SC(SYS_getgroups, 0, 0));
    pr("getgroups 3", SC(SYS_getgroups, 3, g));
    pr("getgroups -1", SC(SYS_getgroups, -1, g));
    pr("getgroups 4", SC(SYS_getgroups, 4, g));
    say("%u %u %u %u", g[0], g[1], g[2], g[3]);
    pr("too many", SC(SYS_setgroups, 65537, g));
    pr("bad address", SC(SYS_setgroups, 2, 8));
    SC(SYS_setuid, 1000);
    pr("unprivileged", SC(SYS_setgroups, 0, 0));
    pr("getgroups 0", SC(SYS_getgroups, 0, 0));
}
static void run(const char *name, void (*f)(void)) {
    say("-- %s", name);
    wt(spawn(f));
}
int main(int c, char **v) {
    (void)c;
    begin(v);
    SC(SYS_setgroups, 0, 0);
    run("root for good", root_for_good);
    run("away and back", away_and_back);
    run("setreuid", setreuid_rules);
    run("fsuid", fsuid_rules);
    run("groups", groups);
    return done();
}
