/* Calls of the C library, for a tracer of library calls. The child takes so long that its parent waits for it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void handler(int number)
{
	(void)number;
}

int main(int argc, char **argv)
{
	(void)argv;
	char *text = strdup("hello");
	puts(text);
	free(text);
	printf("%s %d\n", "world", 42);
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	if (argc > 1 && fork() == 0) {
		usleep(300000);
		puts("child");
		exit(3);
	}
	int status = 0;
	if (argc > 1)
		wait(&status);
	return WEXITSTATUS(status) + atoi("4");
}
