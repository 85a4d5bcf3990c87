/*
 * libtrace - engines: attachments to tasks that are told of events and have a say in them.
 *
 * An engine asks for events of a task. At each of them the task stands still until all its engines have been called back, in the
 * order in which they were attached, and have answered. Callbacks are taken, and the one before is answered, with one call:
 *
 *     engine_t engine;
 *     struct engine_callback callback;
 *     engine_attach(pid, ENGINE_CREATE, 0, 0, &engine);
 *     engine_set(engine, ENGINE_SYSCALL_ENTRY, 0, NULL);
 *     int more = engine_next(&callback, 0);
 *     while (more == 1) {
 *         unsigned response = callback.call.nr == SYS_unlink ? ENGINE_ABORT : ENGINE_RESUME;
 *         more = engine_next(&callback, engine_answer(&callback, response));
 *     }
 *
 * All functions return -1 with errno for a failure. On Linux, which has no engines, that is ENOSYS. Engines belong to the
 * thread that attached them, and end with it and with exec.
 */
#ifndef LIBTRACE_ENGINE_H
#define LIBTRACE_ENGINE_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An engine: no two have the same. */
typedef uint64_t engine_t;

/* How to attach. */
enum {
    ENGINE_MATCH_OPS = 1,      /* find the engine with the same ops */
    ENGINE_MATCH_DATA = 2,     /* ... with the same data */
    ENGINE_CREATE = 0x10,      /* attach a new one */
    ENGINE_EXCLUSIVE = 0x20,   /* EEXIST where one that matches is attached */
};

/* What a task was at when an engine was attached. */
enum { ENGINE_RUNNING, ENGINE_STOPPED, ENGINE_HELD, ENGINE_DEAD };

/* Events. */
enum {
    ENGINE_QUIESCE_EVENT = 1,      /* it stands still because an engine wants it to */
    ENGINE_REAP = 1 << 1,          /* it is gone; has no answer */
    ENGINE_CLONE = 1 << 2,         /* it has created a task, which has not run: .created */
    ENGINE_VFORK_DONE = 1 << 3,    /* its vfork child has released it: .number is the tid */
    ENGINE_EXEC = 1 << 4,          /* it runs a new program: .number is its former tid */
    ENGINE_EXIT = 1 << 5,          /* it is about to exit: .number is the wait status */
    ENGINE_DEATH = 1 << 6,         /* it is dead: .number is the wait status */
    ENGINE_SYSCALL_ENTRY = 1 << 7, /* .call */
    ENGINE_SYSCALL_EXIT = 1 << 8,  /* .call, with the result in args[0] */
    ENGINE_SIGNAL = 1 << 9,        /* a handler is going to run: .number is the choice, .info, .action */
    ENGINE_SIGNAL_IGN = 1 << 10,   /* the signal is going to be ignored */
    ENGINE_SIGNAL_STOP = 1 << 11,  /* ... to stop the process */
    ENGINE_SIGNAL_TERM = 1 << 12,  /* ... to end it */
    ENGINE_SIGNAL_CORE = 1 << 13,  /* ... with a core dump */
    ENGINE_JCTL = 1 << 14,         /* job control: .number is the signal, .stop whether it stops */
};

/* What an engine wants of its task until it says otherwise. */
enum {
    ENGINE_QUIESCE = 1,    /* that it stands still */
    ENGINE_SINGLESTEP = 2, /* that it runs one instruction */
    ENGINE_BLOCKSTEP = 4,  /* that it runs to the next jump */
    ENGINE_NOREAP = 8,     /* that it stays a zombie */
};

/* What becomes of a signal. */
enum {
    ENGINE_DELIVER = 1,
    ENGINE_IGNORE,
    ENGINE_TERMINATE,
    ENGINE_CORE,
    ENGINE_STOP,
    ENGINE_TERMINAL_STOP,
    ENGINE_HANDLER,
    ENGINE_HOLD, /* it goes back into the queue */
};

/* Responses: one of the first three, and whatever else is wanted, or-ed. */
#define ENGINE_RESUME 0u              /* go on */
#define ENGINE_HIDE 1u                /* later engines are not told */
#define ENGINE_DETACH 2u              /* the engine is detached */
#define ENGINE_STATE(state) (1u << 2 | (unsigned)(state) << 3)
#define ENGINE_CHOOSE(choice) ((unsigned)(choice) << 7)
#define ENGINE_ABORT (1u << 11)       /* the system call does not run */
#define ENGINE_NO_SIGCHLD (1u << 12)  /* nobody is told of the stop or the continuation */
#define ENGINE_INFO (1u << 13)        /* .info has been changed */
#define ENGINE_ACTION (1u << 14)      /* .action has been changed, for this once */

/* A set of system calls: bit n of the words stands for call n, the last bit for all numbers from 511 on. */
struct engine_calls {
    uint64_t words[8];
};

/* A signal's handler, as the system call rt_sigaction has it. */
struct engine_action {
    uint64_t handler, flags, restorer, mask;
};

/* What an engine is told. */
struct engine_callback {
    uint64_t ticket;
    engine_t engine;
    uint64_t data; /* what it was attached with */
    uint32_t event;
    uint32_t tid;
    union {
        struct {
            uint64_t nr, args[6];
        } call;
        struct {
            uint64_t tid;
            uint64_t kind; /* 0 fork, 1 vfork, 2 clone */
            uint64_t flags;
        } created;
        struct {
            uint64_t number, stop;
        };
        uint64_t detail[8];
    };
    siginfo_t info;
    struct engine_action action;
};

/* Attaches an engine or finds one; what the task was at. ENOENT, EEXIST, ESRCH, EPERM, EAGAIN, ENOMEM. */
int engine_attach(pid_t tid, unsigned flags, uint64_t ops, uint64_t data, engine_t *engine);
/* Replaces what it asks for; of the calls in the set only, if there is one. EALREADY, ESRCH. */
int engine_set(engine_t engine, uint32_t events, uint32_t state, const struct engine_calls *calls);
/* No callback of it will come any more. EALREADY, ESRCH. */
int engine_detach(engine_t engine);
/* At a signal event: delivers another one first. ENOSYS, EAGAIN, EINVAL, ESRCH. */
int engine_inject(engine_t engine, unsigned choice, const siginfo_t *info, const struct engine_action *action);
/* Gives an answer, or none (0), and waits for the next callback: 1. EINTR. */
int engine_next(struct engine_callback *callback, uint64_t answer);
/* The same without waiting: 0 where there is none. */
int engine_poll(struct engine_callback *callback, uint64_t answer);
/* A request of ptrace(2) about the registers or the memory of a task that stands still. ESRCH: it runs. */
long engine_request(int request, engine_t engine, void *addr, void *data);

/* The answer to a callback. */
static inline uint64_t engine_answer(const struct engine_callback *callback, unsigned response) {
    return callback->ticket << 15 | response;
}

/* Puts a system call into a set. */
static inline void engine_calls_add(struct engine_calls *calls, unsigned nr) {
    unsigned bit = nr < 511 ? nr : 511;
    calls->words[bit / 64] |= (uint64_t)1 << (bit % 64);
}

#ifdef __cplusplus
}
#endif

#endif
