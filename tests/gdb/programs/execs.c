/* Executes itself, by its first thread or by another one. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

char **arguments;

void *execute(void *argument)
{
	execl("/proc/self/exe", arguments[0], "again", (char *)0);
	return 0;
}

void afterwards(void)
{
}

int main(int argc, char **argv)
{
	pthread_t thread;
	arguments = argv;
	if (argc > 1 && !strcmp(argv[1], "again")) {
		afterwards();
		return 5;
	}
	if (argc > 1 && !strcmp(argv[1], "thread")) {
		pthread_create(&thread, 0, execute, 0);
		pthread_join(thread, 0);
	}
	execute(0);
	return 1;
}
