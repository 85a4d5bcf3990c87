/* Variables of which each thread has its own, and the C library's. */
#include <errno.h>
#include <pthread.h>

#define WORKERS 2

pthread_barrier_t here, over;
__thread int mine = 40;
__thread long zeroed[4];

void everybody_is_here(void)
{
}

void *worker(void *argument)
{
	long number = (long)argument;
	mine += number;
	zeroed[3] = -number;
	errno = 100 + number;
	pthread_barrier_wait(&here);
	pthread_barrier_wait(&over);
	return 0;
}

int main(void)
{
	pthread_t threads[WORKERS + 1];
	pthread_barrier_init(&here, 0, WORKERS + 1);
	pthread_barrier_init(&over, 0, WORKERS + 1);
	for (long i = 1; i <= WORKERS; i++)
		pthread_create(&threads[i], 0, worker, (void *)i);
	errno = 100;
	pthread_barrier_wait(&here);
	everybody_is_here();
	pthread_barrier_wait(&over);
	for (int i = 1; i <= WORKERS; i++)
		pthread_join(threads[i], 0);
	return mine;
}
