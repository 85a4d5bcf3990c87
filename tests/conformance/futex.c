// process | 2.6 | futex: error numbers and their order, wake counts and bits, requeue, wake_op, timeouts and signals,
//   shared between processes, robust lists
#include "t.h"
#include <linux/futex.h>
static int a[4] __attribute__((aligned(64)));
static volatile int waiting, woken, results[8];
struct job {
    int *at, val, op, bits;
};
static struct job jobs[8];
static int waiter(void *p) {
    struct job *j = p;
    __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    long r = SC(SYS_futex, j->at, j->op, j->val, 0, 0, j->bits);
    results[j - jobs] = r;
    __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
    SC(SYS_exit, 0);
    return 0;
}
static void start(int i, int *at, int op, int bits) {
    jobs[i] = (struct job){at, 0, op, bits};
    waiting = 0;
    mkthread(waiter, &jobs[i]);
    while (!waiting)
        SC(SYS_sched_yield);
    ms(20);
}
static void settle(int n) {
    for (int i = 0; i < 200 && woken < n; i++)
        ms(1);
    ms(5);
}
#define F(at, op, v, t, at2, v3) SC(SYS_futex, at, op, v, t, at2, v3)
static void errors(void) {
    struct timespec bad = {0, 1000000000}, neg = {-1, 0}, past = {0, 0};
    pr("unaligned", F((char *)a + 1, FUTEX_WAIT, 0, 0, 0, 0));
    pr("unaligned wake", F((char *)a + 2, FUTEX_WAKE, 1, 0, 0, 0));
    pr("null", F(0, FUTEX_WAIT, 0, 0, 0, 0));
    pr("null private", F(0, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0));
    pr("null wake", F(0, FUTEX_WAKE, 1, 0, 0, 0));
    pr("null wake private", F(0, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0));
    pr("kernel address", F(-4096l, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0));
    pr("other value", F(a, FUTEX_WAIT, 1, 0, 0, 0));
    pr("bad timeout", F(a, FUTEX_WAIT, 1, &bad, 0, 0));
    pr("negative timeout", F(a, FUTEX_WAIT, 1, &neg, 0, 0));
    pr("timeout address", F(a, FUTEX_WAIT, 1, 8, 0, 0));
    pr("value before an expired timeout", F(a, FUTEX_WAIT, 1, &past, 0, 0));
    pr("expired", F(a, FUTEX_WAIT, 0, &past, 0, 0));
    pr("expired, absolute", F(a, FUTEX_WAIT_BITSET, 0, &past, 0, 1));
    pr("no bits", F(a, FUTEX_WAIT_BITSET, 0, 0, 0, 0));
    pr("no bits wake", F(a, FUTEX_WAKE_BITSET, 1, 0, 0, 0));
    pr("realtime wake", F(a, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, 0, 0, 0));
    pr("unknown", F(a, 99, 1, 0, 0, 0));
    pr("nobody", F(a, FUTEX_WAKE, 1, 0, 0, 0));
    pr("requeue negative", F(a, FUTEX_REQUEUE, -1, 1, a + 1, 0));
    pr("requeue negative count", F(a, FUTEX_REQUEUE, 1, -1, a + 1, 0));
    pr("requeue nobody", F(a, FUTEX_REQUEUE, 1, 1, a + 1, 0));
    pr("cmp_requeue", F(a, FUTEX_CMP_REQUEUE, 1, 1, a + 1, 5));
    pr("wake_op bad op", F(a, FUTEX_WAKE_OP, 1, 1, a + 1, 5 << 28));
    pr("wake_op fault", F(a, FUTEX_WAKE_OP, 1, 1, 0, 0));
    struct timespec t = {0, 20000000};
    pr("times out", F(a, FUTEX_WAIT, 0, &t, 0, 0));
}
static void wakes(void) {
    woken = 0;
    for (int i = 0; i < 3; i++)
        start(i, a, FUTEX_WAIT_PRIVATE, 0);
    pr("other flavour wakes nobody", F(a, FUTEX_WAKE, 9, 0, 0, 0));
    pr("other word", F(a + 1, FUTEX_WAKE_PRIVATE, 9, 0, 0, 0));
    pr("one", F(a, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0));
    settle(1);
    pr("the rest", F(a, FUTEX_WAKE_PRIVATE, 0x7fffffff, 0, 0, 0));
    settle(3);
    say("woken %d: %d %d %d", woken, results[0], results[1], results[2]);
    woken = 0;
    start(0, a, FUTEX_WAIT_BITSET_PRIVATE, 1);
    start(1, a, FUTEX_WAIT_BITSET_PRIVATE, 2);
    start(2, a, FUTEX_WAIT_BITSET_PRIVATE, 4);
    pr("bit 8", F(a, FUTEX_WAKE_BITSET_PRIVATE, 9, 0, 0, 8));
    pr("bits 6", F(a, FUTEX_WAKE_BITSET_PRIVATE, 9, 0, 0, 6));
    pr("any bit", F(a, FUTEX_WAKE_PRIVATE, 9, 0, 0, 0));
    settle(3);
    woken = 0;
    for (int i = 0; i < 4; i++)
        start(i, a, FUTEX_WAIT_PRIVATE, 0);
    pr("cmp_requeue 1, 2", F(a, FUTEX_CMP_REQUEUE_PRIVATE, 1, 2, a + 1, 0));
    pr("left", F(a, FUTEX_WAKE_PRIVATE, 9, 0, 0, 0));
    pr("moved", F(a + 1, FUTEX_WAKE_PRIVATE, 9, 0, 0, 0));
    settle(4);
    woken = 0;
    start(0, a, FUTEX_WAIT_PRIVATE, 0);
    start(1, a + 1, FUTEX_WAIT_PRIVATE, 0);
    pr("wake_op, does not compare", F(a, FUTEX_WAKE_OP_PRIVATE, 1, 1, a + 1, FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_GT, 0)));
    settle(1);
    start(0, a, FUTEX_WAIT_PRIVATE, 0);
    pr("wake_op, compares", F(a, FUTEX_WAKE_OP_PRIVATE, 1, 1, a + 1, FUTEX_OP(FUTEX_OP_SET, -1, FUTEX_OP_CMP_EQ, 3)));
    settle(3);
    say("word %d", a[1]);
    F(a, FUTEX_WAKE_OP_PRIVATE, 0, 0, a + 1, FUTEX_OP(FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 5, FUTEX_OP_CMP_EQ, 3));
    say("word %d", a[1]);
    F(a, FUTEX_WAKE_OP_PRIVATE, 0, 0, a + 1, FUTEX_OP(FUTEX_OP_ANDN, 32, FUTEX_OP_CMP_EQ, 3));
    say("word %d", a[1]);
}
static volatile int hits;
static void hit(int s) {
    (void)s;
    hits++;
}
static void interrupt_by(int sig, int op, struct timespec *t, const char *n) {
    long p = me();
    int c = fork();
    if (!c) {
        ms(30);
        SC(SYS_kill, p, sig);
        ms(30);
        if (sig == SIGSTOP)
            SC(SYS_kill, p, SIGCONT);
        SC(SYS_exit_group, 0);
    }
    pr(n, F(a, op, 0, t, 0, -1));
    wt(c);
}
static void signals(void) {
    struct timespec t = {0, 200000000}, abs;
    clock_gettime(CLOCK_MONOTONIC, &abs);
    abs.tv_sec += 1;
    onsig(SIGUSR1, hit, 0);
    interrupt_by(SIGUSR1, FUTEX_WAIT, 0, "no SA_RESTART");
    onsig(SIGUSR1, hit, SA_RESTART);
    interrupt_by(SIGUSR1, FUTEX_WAIT, &t, "SA_RESTART with timeout");
    interrupt_by(SIGUSR1, FUTEX_WAIT_BITSET, &abs, "SA_RESTART, absolute");
    say("hits %d", hits);
}
static void shared(void) {
    int *s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int c = fork();
    if (!c) {
        struct timespec t = {5, 0};
        pr("child", F(s + 1, FUTEX_WAIT, 0, &t, 0, 0));
        SC(SYS_exit_group, 0);
    }
    ms(50);
    int *again = mremap(s, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, s + 0x100000);
    pr("private wakes nobody", F(again + 1, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0));
    long r = 0;
    for (int i = 0; i < 500 && !r; i++, ms(1))
        r = F(again + 1, FUTEX_WAKE, 1, 0, 0, 0);
    wt(c);
    pr("from another address", r);
    c = fork();
    if (!c) {
        a[0] = 0;
        struct timespec t = {0, 50000000};
        pr("private memory is nobody else's", F(a, FUTEX_WAIT, 0, &t, 0, 0));
        SC(SYS_exit_group, 0);
    }
    ms(20);
    pr("wake it", F(a, FUTEX_WAKE, 1, 0, 0, 0));
    wt(c);
}
static struct {
    struct robust_list_head head;
    struct {
        struct robust_list next;
        int word;
    } lock[3];
} *rb;
static void owner(void) {
    int tid = SC(SYS_gettid);
    rb->head.list.next = &rb->lock[0].next;
    rb->head.futex_offset = (char *)&rb->lock[0].word - (char *)&rb->lock[0];
    rb->lock[0].next.next = &rb->lock[1].next;
    rb->lock[1].next.next = &rb->head.list;
    rb->lock[0].word = tid | FUTEX_WAITERS;
    rb->lock[1].word = tid + 1;
    rb->lock[2].word = tid;
    rb->head.list_op_pending = &rb->lock[2].next;
    pr("set_robust_list, other size", SC(SYS_set_robust_list, rb, 12));
    pr("set_robust_list", SC(SYS_set_robust_list, rb, sizeof rb->head));
    void *h = 0;
    size_t l = 0;
    pr("get_robust_list", SC(SYS_get_robust_list, 0, &h, &l));
    say("%d, %d bytes", h == rb, (int)l);
    ms(60);
    SC(SYS_exit_group, 0);
}
static void robust(void) {
    rb = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int c = spawn(owner);
    ms(30);
    pr("waiting for an owner", F(&rb->lock[0].word, FUTEX_WAIT, rb->lock[0].word, 0, 0, 0));
    say("%x", rb->lock[0].word);
    wt(c);
    say("words %x, theirs %d, pending %x", rb->lock[0].word, rb->lock[1].word == c + 1, rb->lock[2].word);
    pr("get of nobody", SC(SYS_get_robust_list, 999999, &c, &c));
}
int main(int c, char **v) {
    (void)c;
    begin(v);
    errors();
    wakes();
    signals();
    shared();
    robust();
    return done();
}
