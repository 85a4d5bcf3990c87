// relinked.h - t.h's ptrace and wait4 by the functions of libtrace.a instead of system calls. A result is
// -errno as there, and a word that is peeked at goes where the system call stores it.
static inline long PT(long rq, long pid, ul a, ul d) {
    int peeks = rq >= PEEKTEXT && rq <= PEEKUSR;
    // The function has no pointer to peek through that could be bad, and its request is an int.
    if ((peeks && d < 4096) || rq != (int)rq)
        return sc6(SYS_ptrace, rq, pid, a, d, 0, 0);
    long r = ptrace(rq, (pid_t)pid, (void *)a, (void *)d);
    if (r == -1 && errno)
        return -errno;
    if (!peeks)
        return r;
    *(ul *)d = r;
    return 0;
}
static inline long W4(long pid, int *st, int fl) {
    pid_t r = wait4((pid_t)pid, st, fl, 0);
    return r == -1 ? -errno : r;
}
