/* Two threads that wait until a debugger lets them go. The first one gets the signals. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

pthread_barrier_t barrier;
volatile int go_on;

void *second(void *argument)
{
	sigset_t signals;
	sigfillset(&signals);
	pthread_sigmask(SIG_BLOCK, &signals, 0);
	pthread_barrier_wait(&barrier);
	while (!go_on) usleep(1000);
	return argument;
}

int main(void)
{
	pthread_t thread;
	pthread_barrier_init(&barrier, 0, 2);
	pthread_create(&thread, 0, second, 0);
	pthread_barrier_wait(&barrier);
	puts("waiting");
	fflush(stdout);
	while (!go_on) usleep(1000);
	pthread_join(thread, 0);
	return 5;
}
