// ptrace | 2012 | process_vm_readv and process_vm_writev: ranges of both sides, what is transferred before memory ends,
//   errors and their order
#include "t.h"
static char a[8192] __attribute__((aligned(4096))), b[8192] __attribute__((aligned(4096)));
static int P;
static long rd(struct iovec *l, ul ln, struct iovec *r, ul rn, ul flags) {
    return SC(SYS_process_vm_readv, P, l, ln, r, rn, flags);
}
static long wr(struct iovec *l, ul ln, struct iovec *r, ul rn, ul flags) {
    return SC(SYS_process_vm_writev, P, l, ln, r, rn, flags);
}
static void child(void) {
    dopause();
}
int main(int c, char **v) {
    begin(v);
    for (int i = 0; i < 8192; i++)
        a[i] = i % 251, b[i] = 0;
    char *ro = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *none = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *two = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(two + 4096, 4096);
    memset(two, 'x', 4096);
    P = spawn(child);
    ms(20);
    struct iovec l[4] = {{b, 4096}}, r[4] = {{a, 4096}}, *bad = (void *)8;
    pr("a page", rd(l, 1, r, 1, 0));
    say("it is there: %d", !memcmp(a, b, 4096));
    l[0] = (struct iovec){b + 1, 10}, l[1] = (struct iovec){b + 100, 0}, l[2] = (struct iovec){b + 5000, 3000};
    r[0] = (struct iovec){a + 5, 7}, r[1] = (struct iovec){a + 4000, 3003};
    pr("ranges", rd(l, 3, r, 2, 0));
    say("%d %d %d", !memcmp(b + 1, a + 5, 7), !memcmp(b + 8, a + 4000, 3), !memcmp(b + 5000, a + 4003, 3000));
    pr("less there than here", rd(l, 3, r, 1, 0));
    pr("less here than there", rd(l, 1, r, 2, 0));
    say("-- flags, counts, addresses");
    pr("flags", rd(bad, 1, bad, 1, 1));
    pr("bad local list", rd(bad, 1, r, 1, 0));
    pr("bad remote list", rd(l, 1, bad, 1, 0));
    pr("both", rd(bad, 1, bad, 1, 0));
    pr("1025 local", rd(l, 1025, r, 1, 0));
    pr("1025 remote", rd(l, 1, r, 1025, 0));
    pr("-1 remote", rd(l, 1, r, -1, 0));
    pr("no local", rd(l, 0, r, 1, 0));
    pr("no local, bad remote", rd(l, 0, bad, 1, 0));
    pr("no remote", rd(l, 1, r, 0, 0));
    pr("nothing", rd(0, 0, 0, 0, 0));
    l[0] = (struct iovec){b, -1};
    pr("negative local length", rd(l, 1, r, 1, 0));
    l[0] = (struct iovec){b, 10};
    r[0] = (struct iovec){a, -1};
    pr("negative remote length", rd(l, 1, r, 1, 0));
    r[0] = (struct iovec){a, 0};
    pr("length 0 there", rd(l, 1, r, 1, 0));
    l[0] = (struct iovec){b, 0};
    r[0] = (struct iovec){a, 10};
    pr("length 0 here", rd(l, 1, r, 1, 0));
    l[0] = (struct iovec){(void *)-4096ul, 10};
    pr("a local address in the kernel", rd(l, 1, r, 1, 0));
    l[0] = (struct iovec){b, 10};
    r[0] = (struct iovec){(void *)-4096ul, 10};
    pr("a remote address in the kernel", rd(l, 1, r, 1, 0));
    say("-- whose");
    r[0] = (struct iovec){a, 10};
    int p = P;
    static const int none_[] = {0, -1, 0x3fffff, 0x7fffffff};
    for (int i = 0; i < 4; i++) {
        P = none_[i];
        pr("nobody", rd(l, 1, r, 1, 0));
    }
    pr("nobody, nothing here", rd(l, 0, r, 1, 0));
    pr("nobody, nothing there", rd(l, 1, r, 0, 0));
    l[0].iov_base = (void *)8;
    pr("nobody, bad local memory", rd(l, 1, r, 1, 0));
    l[0].iov_base = b;
    P = me();
    pr("itself", rd(l, 1, r, 1, 0));
    P = p;
    say("-- memory that ends");
    l[0] = (struct iovec){b, 8192};
    r[0] = (struct iovec){two, 8192};
    pr("there, behind a page", rd(l, 1, r, 1, 0));
    r[0] = (struct iovec){two + 4000, 200};
    pr("there, behind 96 bytes", rd(l, 1, r, 1, 0));
    r[0] = (struct iovec){two + 4096, 200};
    pr("there, at once", rd(l, 1, r, 1, 0));
    r[0] = (struct iovec){a, 100}, r[1] = (struct iovec){two + 4096, 100}, r[2] = (struct iovec){a, 100};
    pr("there, the second range", rd(l, 1, r, 3, 0));
    l[0] = (struct iovec){two + 4000, 200};
    r[0] = (struct iovec){a, 200};
    pr("here, behind 96 bytes", rd(l, 1, r, 1, 0));
    l[0] = (struct iovec){two + 4096, 200};
    pr("here, at once", rd(l, 1, r, 1, 0));
    l[0] = (struct iovec){b, 100}, l[1] = (struct iovec){two + 4096, 100};
    pr("here, the second range", rd(l, 2, r, 1, 0));
    say("-- protection");
    l[0] = (struct iovec){b, 16};
    r[0] = (struct iovec){ro, 16};
    pr("read from a read-only page", rd(l, 1, r, 1, 0));
    pr("write to one", wr(l, 1, r, 1, 0));
    r[0] = (struct iovec){none, 16};
    pr("read from an inaccessible one", rd(l, 1, r, 1, 0));
    pr("write to one", wr(l, 1, r, 1, 0));
    l[0] = (struct iovec){ro, 16};
    r[0] = (struct iovec){a, 16};
    pr("read into a read-only page", rd(l, 1, r, 1, 0));
    pr("write from one", wr(l, 1, r, 1, 0));
    l[0] = (struct iovec){none, 16};
    pr("write from an inaccessible one", wr(l, 1, r, 1, 0));
    say("-- writing");
    memset(b, 'w', 8192);
    l[0] = (struct iovec){b, 5000};
    r[0] = (struct iovec){two + 4090, 5000};
    pr("it ends", wr(l, 1, r, 1, 0));
    r[0] = (struct iovec){a + 100, 5000};
    pr("all of it", wr(l, 1, r, 1, 0));
    memset(b, 0, 8192);
    l[0] = (struct iovec){b, 8192};
    r[0] = (struct iovec){a, 8192};
    pr("read back", rd(l, 1, r, 1, 0));
    say("%d %d %d; ours %d", b[99] == 99, b[100] == 'w', b[5100] == 5100 % 251, a[100] == 100);
    killw(P);
    pr("reaped", rd(l, 1, r, 1, 0));
    P = spawn(child);
    SC(SYS_kill, P, SIGKILL);
    siginfo_t s;
    SC(SYS_waitid, P_PID, P, &s, WEXITED | WNOWAIT, 0);
    pr("a zombie", rd(l, 1, r, 1, 0));
    wt(P);
    P = spawn(child);
    ms(20);
    if (!fork()) {
        SC(SYS_setresgid, 7, 7, 7);
        SC(SYS_setresuid, 7, 7, 7);
        pr("somebody else's", rd(l, 1, r, 1, 0));
        pr("with a bad local list", rd(bad, 1, r, 1, 0));
        r[0].iov_len = 0;
        pr("with nothing to read", rd(l, 1, r, 1, 0));
        _exit(0);
    }
    wt(-1);
    killw(P);
    return done();
}
