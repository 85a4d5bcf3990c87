/* A child by fork or by vfork, which exits or executes this program again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int global = 1;

void in_child(void)
{
	global = 2;
}

void in_parent(int status)
{
	global = 3;
}

void in_new_program(void)
{
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "fork";
	int status;
	pid_t child;
	if (!strcmp(how, "again")) {
		in_new_program();
		return 9;
	}
	child = !strncmp(how, "vfork", 5) ? vfork() : fork();
	if (child == 0) {
		if (strstr(how, "exec"))
			execl("/proc/self/exe", argv[0], "again", (char *)0);
		in_child();
		_exit(8);
	}
	waitpid(child, &status, 0);
	in_parent(status);
	return WEXITSTATUS(status);
}
