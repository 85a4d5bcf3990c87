// ptrace | 2013 | PTRACE_PEEKSIGINFO: the queued signals of a task and of its process, oldest first; partial
//   counts, offsets, errors
#include "t.h"
struct args {
    unsigned long long off;
    unsigned flags;
    int nr;
};
static siginfo_t si[8];
static long look(int p, unsigned long long off, unsigned flags, int nr) {
    struct args a = {off, flags, nr};
    memset(si, 0, sizeof si);
    long r = PT(PEEKSIGINFO, p, (ul)&a, (ul)si);
    say("off=%lld flags=%u nr=%d: %s", off, flags, nr, R(r));
    for (int i = 0; i < r && i < 8; i++)
        say("  %s code=%d value=%d", sg(si[i].si_signo), si[i].si_code, si[i].si_value.sival_int);
    return r;
}
static void child(void) {
    block(SIG_BLOCK, SIGUSR1), block(SIG_BLOCK, SIGUSR2), block(SIG_BLOCK, 40), block(SIG_BLOCK, 41);
    siginfo_t i;
    memset(&i, 0, sizeof i);
    i.si_code = -1;
    for (int n = 1; n <= 3; n++) {
        i.si_value.sival_int = n;
        SC(SYS_rt_sigqueueinfo, me(), 40 + (n == 2), &i);
        i.si_value.sival_int = 10 * n;
        SC(SYS_rt_tgsigqueueinfo, me(), me(), 41 - (n == 2), &i);
    }
    SC(SYS_kill, me(), SIGUSR1);
    SC(SYS_kill, me(), SIGUSR1);
    SC(SYS_tgkill, me(), me(), SIGUSR2);
    selfsig(SIGSTOP);
}
int main(int c, char **v) {
    begin(v);
    int p = spawn_traced(child);
    look(p, 0, 0, 8);
    PT(CONT, p, 0, 0);
    say("%s", ST(wt(p)));
    look(p, 0, 0, 8);
    look(p, 0, 1, 8);
    look(p, 0, 0, 2);
    look(p, 2, 1, 1);
    look(p, 3, 0, 8);
    look(p, 4, 0, 8);
    look(p, 100, 1, 8);
    look(p, 1ull << 32, 0, 8);
    look(p, 1ull << 63, 0, 8);
    look(p, -1ull, 0, 8);
    look(p, 0, 0, 0);
    look(p, 0, 2, 1);
    look(p, 0, 0, -1);
    look(p, 0, 2, 0);
    pr("bad args", PT(PEEKSIGINFO, p, 8, (ul)si));
    struct args a = {0, 0, 8};
    pr("bad buffer", PT(PEEKSIGINFO, p, (ul)&a, 8));
    a.off = 9;
    pr("bad buffer, nothing there", PT(PEEKSIGINFO, p, (ul)&a, 8));
    char *two = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(two + 4096, 4096);
    a.off = 0;
    pr("a buffer for one", PT(PEEKSIGINFO, p, (ul)&a, (ul)two + 4096 - 128 - 64));
    pr("a buffer for half", PT(PEEKSIGINFO, p, (ul)&a, (ul)two + 4096 - 64));
    look(p, 0, 0, 8);
    PT(CONT, p, 0, 0);
    pr("running", PT(PEEKSIGINFO, p, (ul)&a, (ul)si));
    say("%s", ST(wt(p)));
    return done();
}
