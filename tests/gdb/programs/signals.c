/* Signals that are raised, handled, and counted. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

volatile int usr1, usr2, alarms, last_code, last_value;
volatile void *last_address;
char *nowhere = (char *)0x1230;

void on_usr1(int signal)
{
	usr1++;
}

void on_usr2(int signal, siginfo_t *info, void *context)
{
	usr2++;
	last_code = info->si_code;
	last_value = info->si_value.sival_int;
	last_address = info->si_addr;
}

void on_alarm(int signal)
{
	alarms++;
}

void on_fault(int signal, siginfo_t *info, void *context)
{
	last_address = info->si_addr;
	_exit(last_address == (void *)0x4560 ? 6 : 5);
}

void ready(void)
{
}

void handle(int signal, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO;
	sigaction(signal, &action, 0);
}

int main(void)
{
	union sigval value = { .sival_int = 42 };
	struct itimerval timer = { { 0, 5000 }, { 0, 5000 } };
	signal(SIGUSR1, on_usr1);
	signal(SIGALRM, on_alarm);
	handle(SIGUSR2, on_usr2);
	handle(SIGSEGV, on_fault);
	ready();
	raise(SIGUSR1);
	sigqueue(getpid(), SIGUSR2, value);
	setitimer(ITIMER_REAL, &timer, 0);
	while (alarms < 20)
		pause();
	timer.it_value.tv_usec = timer.it_interval.tv_usec = 0;
	setitimer(ITIMER_REAL, &timer, 0);
	ready();
	*nowhere = 1;
	return 0;
}
