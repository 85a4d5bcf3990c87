// process | 2.6 (membarrier 4.3) | the small calls libcs and runtimes make: scheduling, locking memory, capabilities,
//   prctl, groups, queued signals to threads, CPU clocks
#include "t.h"
#include <linux/capability.h>
#include <sys/prctl.h>
static char page[8192] __attribute__((aligned(4096)));
static void sched(void) {
    int p = 0;
    ul mask[128] = {0};
    pr("getscheduler", SC(SYS_sched_getscheduler, 0));
    pr("getscheduler -1", SC(SYS_sched_getscheduler, -1));
    pr("getscheduler nobody", SC(SYS_sched_getscheduler, 999999));
    pr("getparam", SC(SYS_sched_getparam, 0, &p));
    say("priority %d", p);
    pr("getparam null", SC(SYS_sched_getparam, 0, 0));
    pr("max fifo", SC(SYS_sched_get_priority_max, 1));
    pr("min rr", SC(SYS_sched_get_priority_min, 2));
    pr("max other", SC(SYS_sched_get_priority_max, 0));
    pr("max 4", SC(SYS_sched_get_priority_max, 4));
    pr("setscheduler other", SC(SYS_sched_setscheduler, 0, 0, &p));
    pr("setscheduler 77", SC(SYS_sched_setscheduler, 0, 77, &p));
    pr("setscheduler fifo 0", SC(SYS_sched_setscheduler, 0, 1, &p));
    pr("setscheduler null", SC(SYS_sched_setscheduler, 0, 0, 0));
    say("getaffinity %d", SC(SYS_sched_getaffinity, 0, sizeof mask, mask) >= 8);
    pr("getaffinity size", SC(SYS_sched_getaffinity, 0, 7, mask));
    pr("getaffinity nobody", SC(SYS_sched_getaffinity, 999999, sizeof mask, mask));
    pr("setaffinity", SC(SYS_sched_setaffinity, 0, sizeof mask, mask));
    memset(mask, 0, sizeof mask);
    pr("setaffinity none", SC(SYS_sched_setaffinity, 0, sizeof mask, mask));
    pr("getpriority", SC(SYS_getpriority, 0, 0));
    pr("getpriority 7", SC(SYS_getpriority, 7, 0));
    pr("getpriority nobody", SC(SYS_getpriority, 0, 999999));
    pr("setpriority", SC(SYS_setpriority, 0, 0, 0));
    pr("setpriority nobody", SC(SYS_setpriority, 0, 999999, 0));
    say("membarrier %d", SC(SYS_membarrier, 0, 0, 0) > 0);
    pr("membarrier flags", SC(SYS_membarrier, 0, 9, 0));
    pr("membarrier unknown", SC(SYS_membarrier, 3, 0, 0));
    pr("yield", SC(SYS_sched_yield));
}
static void memory(void) {
    char *hole = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(hole + 4096, 4096);
    unsigned char v[3];
    page[0] = 1;
    page[4096] = 1;
    pr("mlock", SC(SYS_mlock, page + 5, 4096));
    pr("mlock hole", SC(SYS_mlock, hole, 3 * 4096));
    pr("munlock", SC(SYS_munlock, page, 8192));
    pr("munlock hole", SC(SYS_munlock, hole, 3 * 4096));
    pr("mlock2 flags", SC(SYS_mlock2, page, 4096, 2));
    pr("mlockall 0", SC(SYS_mlockall, 0));
    pr("mlockall 8", SC(SYS_mlockall, 8));
    pr("munlockall", SC(SYS_munlockall));
    pr("msync", SC(SYS_msync, page, 4096, MS_SYNC));
    pr("msync unaligned", SC(SYS_msync, page + 1, 4096, MS_SYNC));
    pr("msync both", SC(SYS_msync, page, 4096, MS_SYNC | MS_ASYNC));
    pr("msync hole", SC(SYS_msync, hole, 3 * 4096, MS_SYNC));
    pr("mincore", SC(SYS_mincore, page, 8192, v));
    say("%d %d", v[0] & 1, v[1] & 1);
    pr("mincore unaligned", SC(SYS_mincore, page + 1, 4096, v));
    pr("mincore hole", SC(SYS_mincore, hole, 3 * 4096, v));
    pr("mincore bad vector", SC(SYS_mincore, page, 4096, 8));
}
static void caps(void) {
    struct __user_cap_header_struct h = {0, 0};
    struct __user_cap_data_struct d[2] = {{0}}, none[2] = {{0}};
    pr("capget version", SC(SYS_capget, &h, 0));
    say("%x", h.version);
    pr("capget", SC(SYS_capget, &h, d));
    h.pid = 999999;
    pr("capget nobody", SC(SYS_capget, &h, d));
    h.pid = -1;
    pr("capget -1", SC(SYS_capget, &h, d));
    h.pid = 0;
    SC(SYS_setresuid, 1000, 1000, 1000);
    pr("capget", SC(SYS_capget, &h, none));
    say("none %x %x %x", none[0].effective, none[0].permitted, none[1].effective);
    pr("capset of what it has not", SC(SYS_capset, &h, d));
    pr("capset of nothing", SC(SYS_capset, &h, none));
    pr("sethostname", SC(SYS_sethostname, "x", 1));
    pr("setgroups", SC(SYS_setgroups, 0, 0));
    pr("fifo", SC(SYS_sched_setscheduler, 0, 1, &(int){5}));
    SC(SYS_exit_group, 0);
}
static void prctls(void) {
    pr("no_new_privs", SC(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    pr("set to 0", SC(SYS_prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
    pr("set with more", SC(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
    pr("set", SC(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    pr("get", SC(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    pr("keepcaps", SC(SYS_prctl, PR_GET_KEEPCAPS));
    pr("keepcaps 2", SC(SYS_prctl, PR_SET_KEEPCAPS, 2));
    pr("keepcaps 1", SC(SYS_prctl, PR_SET_KEEPCAPS, 1));
    pr("keepcaps", SC(SYS_prctl, PR_GET_KEEPCAPS));
    pr("keepcaps 0", SC(SYS_prctl, PR_SET_KEEPCAPS, 0));
    pr("capbset", SC(SYS_prctl, PR_CAPBSET_READ, 0));
    pr("capbset 99", SC(SYS_prctl, PR_CAPBSET_READ, 99));
    pr("unknown", SC(SYS_prctl, 9999));
    pr("personality", SC(SYS_personality, 0xffffffff));
    pr("set it", SC(SYS_personality, 0x40000));
    pr("get it", SC(SYS_personality, 0xffffffff));
    int p = spawn(caps);
    say("%s", ST(wt(p)));
}
static void groups(void) {
    unsigned g[4] = {30, 10, 20, 0}, r[4] = {0};
    pr("setgroups", SC(SYS_setgroups, 3, g));
    pr("count", SC(SYS_getgroups, 0, 0));
    pr("too small", SC(SYS_getgroups, 2, r));
    pr("getgroups", SC(SYS_getgroups, 4, r));
    say("%u %u %u", r[0], r[1], r[2]);
    pr("negative", SC(SYS_getgroups, -1, r));
    pr("setgroups too many", SC(SYS_setgroups, 70000, g));
    pr("setgroups none", SC(SYS_setgroups, 0, 0));
    pr("count", SC(SYS_getgroups, 0, 0));
}
static siginfo_t got;
static void take(int s, siginfo_t *i, void *u) {
    (void)s;
    (void)u;
    got = *i;
}
static void queue(void) {
    struct sigaction a;
    memset(&a, 0, sizeof a);
    a.sa_sigaction = take;
    a.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &a, 0);
    siginfo_t i;
    memset(&i, 0, sizeof i);
    i.si_code = -1;
    i.si_pid = 77;
    i.si_value.sival_int = 42;
    pr("tgsigqueueinfo", SC(SYS_rt_tgsigqueueinfo, me(), me(), SIGUSR1, &i));
    say("code %d pid %d value %d", got.si_code, got.si_pid, got.si_value.sival_int);
    pr("tgid 0", SC(SYS_rt_tgsigqueueinfo, 0, me(), SIGUSR1, &i));
    pr("other group", SC(SYS_rt_tgsigqueueinfo, 1, me(), SIGUSR1, &i));
    pr("nobody", SC(SYS_rt_tgsigqueueinfo, 1, 999999, SIGUSR1, &i));
    pr("signal 65", SC(SYS_rt_tgsigqueueinfo, me(), me(), 65, &i));
    pr("null", SC(SYS_rt_tgsigqueueinfo, me(), me(), SIGUSR1, 0));
    i.si_code = 0;
    pr("as the kernel, to oneself", SC(SYS_rt_tgsigqueueinfo, me(), me(), SIGUSR1, &i));
    int p = spawn(dopause);
    pr("as the kernel, to another", SC(SYS_rt_tgsigqueueinfo, p, p, SIGUSR1, &i));
    struct timespec t = {9, 9};
    pr("CPU clock of another", SC(SYS_clock_gettime, ~p << 3 | 2, &t));
    say("%d", t.tv_sec == 0);
    pr("of its thread", SC(SYS_clock_gettime, ~p << 3 | 6, &t));
    pr("of nobody", SC(SYS_clock_gettime, ~999999 << 3 | 2, &t));
    pr("of oneself", SC(SYS_clock_gettime, ~0 << 3 | 2, &t));
    killw(p);
    pr("settime monotonic", SC(SYS_clock_settime, 1, &t));
    t.tv_nsec = -1;
    pr("settime bad", SC(SYS_clock_settime, 0, &t));
}
int main(int c, char **v) {
    (void)c;
    begin(v);
    sched();
    memory();
    groups();
    queue();
    prctls();
    return done();
}
