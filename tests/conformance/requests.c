// ptrace | 2018 | numbers that are no request of a 64-bit tracer; ARCH_PRCTL
#include "t.h"
static void child(void) {
    dopause();
}
static char buf[4096];
int main(int c, char **v) {
    begin(v);
    int p = spawn_traced(child);
    static const int none[] = {10, 11, 18, 19, 20, 22, 23, 27, 28, 29, 34, 35, 63, 64, 255, 0x41ff, 0x4213, 0x4220, 0x4300};
    for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
        say("request %x: %s", none[i], R(PT(none[i], p, 0, (ul)buf)));
    pr("request -1", PT(-1, p, 0, (ul)buf));
    pr("request 2^32 + GETREGS", PT(1l << 32 | GETREGS, p, 0, (ul)buf));
    regs_t r = getregs(p);
    ul w = 1;
    pr("GET_FS", PT(ARCH_PRCTL, p, (ul)&w, 0x1003));
    say("it is: %d", w == r.fs_base);
    pr("GET_GS", PT(ARCH_PRCTL, p, (ul)&w, 0x1004));
    say("it is: %d", w == r.gs_base);
    pr("GET_FS, bad buffer", PT(ARCH_PRCTL, p, 8, 0x1003));
    pr("SET_FS", PT(ARCH_PRCTL, p, r.fs_base + 64, 0x1002));
    say("it is: %d", getregs(p).fs_base == r.fs_base + 64);
    pr("SET_FS, 2^47", PT(ARCH_PRCTL, p, 1ul << 47, 0x1002));
    pr("SET_FS, -1", PT(ARCH_PRCTL, p, -1ul, 0x1002));
    pr("SET_GS, -1", PT(ARCH_PRCTL, p, -1ul, 0x1001));
    pr("SET_FS, highest", PT(ARCH_PRCTL, p, 0x7fffffffefff, 0x1002));
    static const int codes[] = {0, 1, 0x1000, 0x1005, 0x2001, 0x5001, 0x9999};
    for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
        say("code %x: %s", codes[i], R(PT(ARCH_PRCTL, p, (ul)buf, codes[i])));
    killw(p);
    return done();
}
