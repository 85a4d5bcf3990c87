/* Three workers, each made when the one before is at its place; between the barriers it is known where everybody is. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#define WORKERS 3

sem_t here;
pthread_barrier_t barrier;
volatile long work[WORKERS + 1];
volatile int go_on;

void at_work(long number)
{
	work[number]++;
}

void alone(long number)
{
	work[number] += 1000;
}

void spin(long number)
{
	while (!go_on) work[number]++;
}

void *worker(void *argument)
{
	long number = (long)argument;
	char name[16] = "worker-0";
	name[7] += number;
	pthread_setname_np(pthread_self(), name);
	sem_post(&here);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 5; i++)
		at_work(number);
	if (number == 2)
		alone(number);
	sem_post(&here);
	spin(number);
	return 0;
}

void everybody_is_here(void)
{
}

int main(void)
{
	pthread_t threads[WORKERS + 1];
	pthread_barrier_init(&barrier, 0, WORKERS + 1);
	for (long i = 1; i <= WORKERS; i++) {
		pthread_create(&threads[i], 0, worker, (void *)i);
		sem_wait(&here);
	}
	pthread_barrier_wait(&barrier);
	for (int i = 1; i <= WORKERS; i++)
		sem_wait(&here);
	while (work[1] < 50 || work[2] < 1050 || work[3] < 50)
		usleep(1000);
	everybody_is_here();
	for (int i = 1; i <= WORKERS; i++)
		pthread_join(threads[i], 0);
	return 0;
}
