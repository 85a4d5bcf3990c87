/*
 * libtrace - ptrace and wait as direct messages to Stillpoint's servers.
 *
 * A program that is written for <sys/ptrace.h>, <sys/wait.h> and <sys/uio.h> needs nothing of this file. Linked with libtrace.a it
 * has these functions from there instead of from its C library, be that glibc or musl:
 *
 *     long  ptrace(enum __ptrace_request request, ...);
 *     pid_t wait(int *status);
 *     pid_t waitpid(pid_t pid, int *status, int options);
 *     pid_t wait3(int *status, int options, struct rusage *usage);
 *     pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage);
 *     ssize_t process_vm_readv(pid_t pid, const struct iovec *local, unsigned long local_count,
 *                              const struct iovec *remote, unsigned long remote_count, unsigned long flags);
 *     ssize_t process_vm_writev(the same);
 *
 * In the machine each of them is one message where it would be a system call. A wait that asks for the usage, and a
 * transfer of several ranges, stay system calls. Elsewhere they make Linux's system calls. Which it is, a process finds
 * out at its first call.
 *
 * Results, errno, cancellation and EINTR are those of glibc's functions. In the machine a status is stored, and a range's
 * bounds are loaded, by the program itself: a bad pointer to them is SIGSEGV as in any other store, and not EFAULT.
 *
 *     cc program.c $(pkg-config --cflags --libs libtrace)
 */
#ifndef LIBTRACE_H
#define LIBTRACE_H

#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>

#endif
