/* Two threads, one after the other, each with a mutex that the first one waits for. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int count;

static void *work(void *name)
{
	struct timespec pause = {0, 20000000};
	nanosleep(&pause, NULL);
	pthread_mutex_lock(&lock);
	count++;
	printf("%s %d\n", (char *)name, count);
	pthread_mutex_unlock(&lock);
	return name;
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	for (int i = 0; i < 2; i++) {
		pthread_t thread;
		struct timespec pause = {0, 50000000};
		pthread_mutex_lock(&lock);
		pthread_create(&thread, NULL, work, i ? "second" : "first");
		nanosleep(&pause, NULL);
		pthread_mutex_unlock(&lock);
		pthread_join(thread, NULL);
	}
	return 0;
}
