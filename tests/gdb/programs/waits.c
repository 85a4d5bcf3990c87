/* Runs until a file is there, and tells by a file that it has. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

volatile long turns;
volatile int stop;

void turn(void)
{
	turns++;
}

int main(int argc, char **argv)
{
	struct timespec pause = { 0, 2000000 };
	int tell;
	alarm(60);
	while (!stop && access(argv[1], F_OK) != 0) {
		turn();
		nanosleep(&pause, 0);
	}
	tell = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	write(tell, "done\n", 5);
	close(tell);
	return 0;
}
