// ptrace | 2009 | PTRACE_SINGLEBLOCK: it stops with TRAP_TRACE at the latest behind the next taken branch, and at a
//   system call's end; where the processor cannot stop at branches, after each instruction
#include "t.h"
extern char k0[], k1[], k2[], k3[];
static void child(void) {
    __asm__ volatile(".globl k0,k1,k2,k3\nk0: nop\n jmp k1\n nop\nk1: nop\n movl $39,%eax\n syscall\n call k2\n"
                     "k3: jmp k3\nk2: nop\n ret\n");
}
int main(int c, char **v) {
    begin(v);
    int p = spawn_traced(child);
    regs_t r = getregs(p);
    r.rip = (ul)k0;
    PT(SETREGS, p, 0, (ul)&r);
    pr("bad signal", PT(STEPBLOCK, p, 0, 65));
    char *to[] = {k1, k2, k3, k3};
    for (int n = 0; n < 4;) {
        siginfo_t s;
        memset(&s, 0, sizeof s);
        pr("SINGLEBLOCK", PT(STEPBLOCK, p, 0, 0));
        int st = wt(p), steps = 0;
        while (st == 0x57f && (r = getregs(p)).rip != (ul)to[n] && steps++ < 5) {
            PT(STEPBLOCK, p, 0, 0);
            st = wt(p);
        }
        PT(GETSIGINFO, p, 0, (ul)&s);
        say("%s code=%d at %d", ST(st), s.si_code, n);
        n++;
    }
    PT(CONT, p, 0, 0);
    pr("running", PT(STEPBLOCK, p, 0, 0));
    killw(p);
    return done();
}
