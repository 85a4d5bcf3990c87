// ptrace | 2007 | the debug registers through PEEKUSER and POKEUSER: addresses, lengths, kinds, what is refused and
//   what stays; a child, an exec and a stop of others do not have them
#include "t.h"
static ul w[8] __attribute__((aligned(64)));
static int P;
static ul dr(int n) {
    ul v = 0xdead;
    long r = PT(PEEKUSR, P, offsetof(struct user, u_debugreg[n]), (ul)&v);
    if (r)
        pr("peek", r);
    return v;
}
static long set(int n, ul v) {
    return PT(POKEUSR, P, offsetof(struct user, u_debugreg[n]), v);
}
static void dr7(ul v) {
    long r = set(7, v);
    say("dr7 %lx: %s, then %lx", v, R(r), dr(7));
}
static void dr0(const char *n, ul v) {
    long r = set(0, v);
    say("dr0 %s: %s, then %s", n, R(r), dr(0) == v ? "that" : dr(0) == (ul)w ? "w" : dr(0) ? "other" : "0");
}
static void child(void) {
    SC(SYS_getpid);
}
int main(int c, char **v) {
    begin(v);
    P = spawn_traced(child);
    for (int n = 0; n < 8; n++)
        say("dr%d = %lx", n, dr(n));
    say("nothing has an address");
    dr7(0x20000);
    dr7(0xffff0000);
    dr7(0x20001);
    dr7(0x40001);
    dr7(0x1);
    dr7(0);
    dr0("-1", -1ul);
    dr0("2^63", 1ul << 63);
    dr0("2^47", 1ul << 47);
    dr0("2^47 - 4096", (1ul << 47) - 4096);
    dr0("2^47 - 4097", (1ul << 47) - 4097);
    dr0("8", 8);
    dr0("w + 1", (ul)w + 1);
    dr7(0x10001);
    dr7(0x50001);
    dr7(0xd0001);
    dr7(0x90001);
    dr7(0x1);
    dr7(0x50000);
    dr7(0);
    dr0("w", (ul)w);
    for (ul k = 0; k < 16; k++)
        dr7(k << 16 | 1);
    for (ul k = 0; k < 16; k++)
        dr7(k << 16);
    dr7(2);
    dr7(3);
    dr7(0x90001);
    dr0("w + 1", (ul)w + 1);
    dr0("w + 8", (ul)w + 8);
    dr0("0", 0);
    dr0("2^63", 1ul << 63);
    dr0("w", (ul)w);
    dr7(0x90000);
    dr0("w + 4, disabled", (ul)w + 4);
    dr0("w", (ul)w);
    dr7(0xd0000);
    dr0("w + 4, disabled", (ul)w + 4);
    dr0("w + 2, disabled", (ul)w + 2);
    dr7(0);
    dr0("w + 1, execution", (ul)w + 1);
    dr7(0x90001);
    dr7(0x10001);
    say("the second");
    pr("dr1", set(1, (ul)w));
    dr7(0x900105);
    dr7(0x910005);
    dr7(0x200005);
    dr7(0x110005);
    dr7(0x110000);
    say("bits of no meaning");
    dr7(0xdc00);
    dr7(0x300);
    dr7(0x2400);
    dr7(1ul << 32);
    dr7(1ul << 63);
    dr7(0);
    say("dr4 and dr5");
    pr("dr4", set(4, 0));
    pr("dr5", set(5, 0));
    say("dr6");
    static const ul s[] = {0, 0x4001, 0xf, 0xffff0ff0, 0xffff4fff, -1ul, 0x123456789abcdef0};
    for (int n = 0; n < 7; n++) {
        long r = set(6, s[n]);
        say("dr6 %lx: %s, then %lx", s[n], R(r), dr(6));
    }
    PT(CONT, P, 0, 0);
    say("%s", ST(wt(P)));
    return done();
}
