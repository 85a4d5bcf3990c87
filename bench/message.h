// message.h - ptrace requests as messages to the tracer, for ptbench.c. The same bytes as libtrace/src/message.rs sends.
#define NR_TRACER_CAP 0x73740001L
static long pt_message(long rq, long pid, unsigned long a, unsigned long d) {
    static long tracer;
    if (!tracer) {
        long cap;
        __asm__ volatile("syscall" : "=a"(cap) : "0"(NR_TRACER_CAP) : "rcx", "r11", "memory");
        if (cap <= 0)
            return cap ? cap : -38;
        tracer = cap;
    }
    register long request __asm__("r10") = rq;
    register long word __asm__("r8") = pid;
    register unsigned long addr __asm__("r9") = a;
    register unsigned long data __asm__("r15") = d;
    long call = -1, to = tracer, shape = 1 << 12 | 4;
    __asm__ volatile("mov %%rsp, %%rcx\n lea 1f(%%rip), %%rdx\n 1: sysenter"
                     : "+a"(call), "+D"(to), "+S"(shape), "+r"(request), "+r"(word), "+r"(addr), "+r"(data)
                     :
                     : "rcx", "rdx", "r11", "memory");
    // PEEKTEXT, PEEKDATA, PEEKUSER: the word comes in the answer.
    if (rq >= 1 && rq <= 3 && request == 0)
        *(long *)d = word;
    return request;
}
