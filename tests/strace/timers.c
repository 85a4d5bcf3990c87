/* Each kind of timer once: alarm, an interval timer, a POSIX timer, timerfd, and a sleep that a signal cuts short. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static void noted(int signal) { (void)signal; }

int main(void)
{
	struct sigaction action = {.sa_handler = noted};
	struct itimerval interval = {.it_value = {0, 20000}};
	struct itimerspec later = {.it_value = {0, 20000000}};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 5};
	struct timespec second = {1, 0};
	timer_t timer;
	uint64_t times;

	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	alarm(100);
	alarm(0);
	setitimer(ITIMER_REAL, &interval, NULL);
	nanosleep(&second, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &later, NULL);
	pause();
	timer_getoverrun(timer);
	timer_delete(timer);
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	timerfd_settime(fd, 0, &later, NULL);
	read(fd, &times, sizeof times);
	close(fd);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){0, 1000000}, NULL);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){0, 1}, NULL);
	return 0;
}
