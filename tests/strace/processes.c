/* fork, vfork and posix_spawn, children that exit, are killed, stop and go on, and each way to wait for them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(int count, char **words)
{
	char *again[] = {words[0], "child", NULL};
	char *missing[] = {"/no/such/program", NULL};
	siginfo_t info;
	struct rusage usage;
	int status;
	pid_t child;

	if (count > 1)
		return 5;
	if (!(child = fork()))
		_exit(3);
	waitpid(child, &status, 0);
	if (!(child = vfork())) {
		execv(words[0], again);
		_exit(1);
	}
	wait4(child, &status, __WALL, &usage);
	posix_spawn(&child, words[0], NULL, NULL, again, environ);
	waitid(P_PID, child, &info, WEXITED | WNOWAIT);
	waitpid(child, &status, 0);
	posix_spawn(&child, missing[0], NULL, NULL, missing, environ);
	if (!(child = fork()))
		abort();
	waitpid(child, &status, 0);
	if (!(child = fork())) {
		setpgid(0, 0);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(child, &status, WUNTRACED);
	kill(child, SIGCONT);
	waitpid(child, &status, WCONTINUED);
	waitpid(child, &status, 0);
	waitpid(-1, &status, WNOHANG);
	prctl(PR_SET_NAME, "renamed");
	getpriority(PRIO_PROCESS, 0);
	getpgid(0);
	getsid(0);
	return 0;
}
