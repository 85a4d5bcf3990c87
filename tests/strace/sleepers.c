/* Three threads that sleep again and again and one that waits for signals, to attach to. */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

static void *work(void *nothing)
{
	struct timespec while_ = {0, 30000000};
	for (;;)
		nanosleep(&while_, NULL);
	return nothing;
}

int main(void)
{
	pthread_t thread;
	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, work, NULL);
	for (;;)
		pause();
}
