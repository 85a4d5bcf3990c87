// message.h - ptrace requests and waits as messages to the servers, for ptbench.c. The same bytes as
// libtrace/src/message.rs sends.
#define NR_SERVER_CAPS 0x73740001L
enum { PROCMGR, TRACER };
enum { KIND_PTRACE = 16, KIND_WAIT = 17, KIND_READ_MEMORY = 32, KIND_WRITE_MEMORY = 33 };
static long server_caps(void) {
    static long caps;
    if (!caps)
        __asm__ volatile("syscall" : "=a"(caps) : "0"(NR_SERVER_CAPS) : "rcx", "r11", "memory");
    return caps;
}
static long shape_of(int server, long kind) {
    static long sent[2];
    sent[server] = sent[server] % 4095 + 1;
    return (kind | sent[server] << 8) << 12 | 4;
}
static long message(int server, long kind, long w[4]) {
    long caps = server_caps();
    if (caps < 0)
        return w[0] = caps;
    register long w0 __asm__("r10") = w[0];
    register long w1 __asm__("r8") = w[1];
    register long w2 __asm__("r9") = w[2];
    register long w3 __asm__("r15") = w[3];
    long call = -1, to = caps + server, shape = shape_of(server, kind);
    __asm__ volatile("mov %%rsp, %%rcx\n lea 1f(%%rip), %%rdx\n 1: sysenter"
                     : "+a"(call), "+D"(to), "+S"(shape), "+r"(w0), "+r"(w1), "+r"(w2), "+r"(w3)
                     :
                     : "rcx", "rdx", "r11", "memory");
    w[0] = w0, w[1] = w1, w[2] = w2, w[3] = w3;
    return w0;
}
static long pt_message(long rq, long pid, unsigned long a, unsigned long d) {
    // TRACEME, ATTACH, DETACH, SETOPTIONS, SEIZE are the tracer's.
    int server = rq == 0 || rq == 16 || rq == 17 || rq == 21 || rq == 0x4200 || rq == 0x4206;
    long w[4] = {rq, pid, a, d};
    if (message(server, KIND_PTRACE, w) == (long)(1UL << 63)) {
        w[0] = rq, w[1] = pid, w[2] = a, w[3] = d;
        message(TRACER, KIND_PTRACE, w);
    }
    // PEEKTEXT, PEEKDATA, PEEKUSER: the word comes in the answer.
    if (rq >= 1 && rq <= 3 && w[0] == 0)
        *(long *)d = w[1];
    return w[0];
}
// process_vm_readv or process_vm_writev of one range.
static long vm_message(int write, long pid, void *own, void *other, long size) {
    long w[4] = {pid, (long)other, (long)own, size};
    return message(PROCMGR, write ? KIND_WRITE_MEMORY : KIND_READ_MEMORY, w);
}
static long wait_message(long pid, int *st, long fl) {
    long r = -1, to = server_caps(), shape = shape_of(PROCMGR, KIND_WAIT);
    if (to < 0)
        return to;
    register long w0 __asm__("r10") = pid;
    register long w1 __asm__("r8") = fl;
    // One that waits goes on behind the second label with the result.
    __asm__ volatile("mov %%rsp, %%rcx\n mov %%rsp, %%r15\n lea 1f(%%rip), %%rdx\n lea 2f(%%rip), %%r9\n"
                     "1: sysenter\n mov %%r10, %%rax\n 2:"
                     : "+a"(r), "+D"(to), "+S"(shape), "+r"(w0), "+r"(w1)
                     :
                     : "rcx", "rdx", "r9", "r11", "r15", "memory");
    if (r > 0 && st)
        *st = r >> 32;
    return r > 0 ? r & 0xffffffff : r;
}
