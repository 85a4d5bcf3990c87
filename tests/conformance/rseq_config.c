// ptrace | 2021 | PTRACE_GET_RSEQ_CONFIGURATION of a task that has registered nothing
#include "t.h"
enum { GET_RSEQ_CONFIGURATION = 0x420f };
static void child(void) {
}
int main(int c, char **v) {
    begin(v);
    unsigned long conf[4];
    char *env[] = {"GLIBC_TUNABLES=glibc.pthread.rseq=0", 0};
    if (c == 1)
        execve(self_path, (char *[]){self_path, "again", 0}, env);
    int p = spawn_traced(child);
    for (int n = 0; n <= 40; n += 8) {
        memset(conf, 0x55, sizeof conf);
        long r = PT(GET_RSEQ_CONFIGURATION, p, n, (ul)conf);
        say("size %d: %s %lx %lx %lx %lx", n, R(r), conf[0], conf[1], conf[2], conf[3]);
    }
    pr("bad buffer", PT(GET_RSEQ_CONFIGURATION, p, 24, 8));
    pr("bad buffer, no size", PT(GET_RSEQ_CONFIGURATION, p, 0, 8));
    PT(CONT, p, 0, 0);
    pr("running", PT(GET_RSEQ_CONFIGURATION, p, 24, (ul)conf));
    say("%s", ST(wt(p)));
    return done();
}
