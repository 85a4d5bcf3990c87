/* ticks ROUNDS COMMAND [ARG]: how many ticks of the time-stamp counter a command takes from its fork to its end, the least of so many
   rounds after one that does not count. Where the emulator counts instructions, a tick is one. The command's output goes nowhere. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

int main(int count, char **words)
{
	unsigned long least = -1;
	int status;

	if (count < 3)
		return 2;
	for (int round = 0; round <= atoi(words[1]); round++) {
		unsigned long start = __rdtsc();
		pid_t child = fork();
		if (child == 0) {
			int nowhere = open("/dev/null", O_RDWR);
			for (int fd = 0; fd < 3; fd++)
				dup2(nowhere, fd);
			execvp(words[2], words + 2);
			_exit(127);
		}
		waitpid(child, &status, 0);
		unsigned long took = __rdtsc() - start;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			return 1;
		if (round > 0 && took < least)
			least = took;
	}
	printf("%lu\n", least);
	return 0;
}
