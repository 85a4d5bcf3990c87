// ptrace | 2.6.34 | register sets that cannot be set: lengths, MXCSR, the header of the extended state
#include "t.h"
static void idle(void) {
    for (;;)
        dopause();
}
static char buf[8192];
static struct iovec iv;
static long get(int p, int note, long len) {
    iv.iov_base = buf;
    iv.iov_len = len;
    return PT(GETREGSET, p, note, (ul)&iv);
}
static long set(int p, int note, long len) {
    iv.iov_base = buf;
    iv.iov_len = len;
    return PT(SETREGSET, p, note, (ul)&iv);
}
int main(int c, char **v) {
    begin(v);
    int p = spawn_traced(idle);
    pr("unknown set", get(p, 0x777, 64));
    pr("general, 12 bytes", get(p, 1, 12));
    pr("general, 16 bytes", get(p, 1, 16));
    say("len %d", (int)iv.iov_len);
    pr("set them", set(p, 1, 16));
    pr("general, all", get(p, 1, 8192));
    say("len %d", (int)iv.iov_len);
    pr("fpu, 100 bytes", get(p, 2, 100));
    pr("fpu, 104 bytes", get(p, 2, 104));
    pr("set 104 of it", set(p, 2, 104));
    pr("fpu, all", get(p, 2, 8192));
    say("len %d", (int)iv.iov_len);
    pr("set it", set(p, 2, 512));
    memset(buf + 24, 0xff, 4);
    pr("with a bad mxcsr", set(p, 2, 512));
    pr("SETFPREGS with it", PT(SETFPREGS, p, 0, (ul)buf));
    pr("extended, 100 bytes", get(p, 0x202, 100));
    pr("extended, 104 bytes", get(p, 0x202, 104));
    pr("set 104 of it", set(p, 0x202, 104));
    pr("extended, all", get(p, 0x202, 8192));
    long n = iv.iov_len;
    pr("set it", set(p, 0x202, n));
    get(p, 0x202, 8192);
    memset(buf + 24, 0xff, 4);
    pr("with a bad mxcsr", set(p, 0x202, n));
    get(p, 0x202, 8192);
    buf[512 + 8] = 1;
    pr("with a bad header", set(p, 0x202, n));
    get(p, 0x202, 8192);
    buf[512] = 1;
    memset(buf + 160, 7, 16);
    pr("without its SSE part", set(p, 0x202, n));
    get(p, 2, 8192);
    say("xmm0 %d", buf[160]);
    return done();
}
