/* Handlers with and without SA_RESTART, a blocked signal, an alternate stack, a fault that is caught, a death by signal. */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf back;

static void noted(int signal) { write(1, &"caught\n"[0], 7); (void)signal; }
static void left(int signal, siginfo_t *info, void *context)
{
	(void)info; (void)context;
	siglongjmp(back, signal);
}

int main(void)
{
	struct sigaction action = {.sa_handler = noted, .sa_flags = SA_RESTART};
	sigset_t set, old;
	stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
	union sigval value = {.sival_int = 77};

	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, &old);
	kill(getpid(), SIGUSR1);
	sigpending(&set);
	sigprocmask(SIG_SETMASK, &old, NULL);

	action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	action.sa_sigaction = left;
	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGILL, &action, NULL);
	sigaction(SIGFPE, &action, NULL);
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!sigsetjmp(back, 1))
		*page = 1;
	if (!sigsetjmp(back, 1))
		*(volatile char *)16 = 1;
	if (!sigsetjmp(back, 1))
		__asm__ volatile("ud2");
	if (!sigsetjmp(back, 1)) {
		volatile int zero = 0;
		zero = 1 / zero;
	}

	action.sa_handler = noted;
	action.sa_flags = SA_RESETHAND;
	sigaction(SIGRTMIN, &action, NULL);
	sigqueue(getpid(), SIGRTMIN, value);
	signal(SIGUSR2, SIG_IGN);
	raise(SIGUSR2);
	raise(SIGTERM);
	return 0;
}
