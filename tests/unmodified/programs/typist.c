/* Somebody at a terminal with a shell: types, waits for the prompt or for a job in the foreground, and shows what was on the screen. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASKS "\033[6n"

static int master;
static pid_t shell;
static char screen[1 << 16];
static int length;

/* Takes what has come, for a moment at most. */
static void look(void)
{
	struct pollfd ready = {master, POLLIN, 0};
	if (poll(&ready, 1, 10) > 0 && length < (int)sizeof screen - 1) {
		int count = read(master, screen + length, sizeof screen - 1 - length);
		length += count > 0 ? count : 0;
		screen[length] = 0;
	}
}

/* Whether the screen ends with a text. */
static int ends_with(const char *text)
{
	int size = strlen(text);
	return length >= size && !strcmp(screen + length - size, text);
}

/* The group in the foreground. */
static pid_t foreground(void)
{
	pid_t group = 0;
	ioctl(master, TIOCGPGRP, &group);
	return group;
}

/* Types a line or a key, and waits: with '$' for the prompt, with '!' for a job in the foreground, else for a text at the end. */
static void type(const char *keys, const char *until)
{
	int before = length;
	(void)!write(master, keys, strlen(keys));
	for (int i = 0; i < 1000; i++) {
		look();
		int done = *until == '$' ? length > before && ends_with("$ " ASKS) && foreground() == shell
			: *until == '!' ? foreground() != shell && foreground() > 0
			: length > before && ends_with(until);
		if (done) {
			/* All processes of a pipeline have joined it by then. */
			if (*until == '!')
				usleep(200000);
			return;
		}
	}
	printf("%s: nothing of the kind\n", keys);
}

int main(void)
{
	master = posix_openpt(O_RDWR | O_NOCTTY);
	grantpt(master);
	unlockpt(master);
	shell = fork();
	if (shell == 0) {
		setsid();
		int slave = open(ptsname(master), O_RDWR);
		for (int fd = 0; fd < 3; fd++)
			dup2(slave, fd);
		setenv("PS1", "$ ", 1);
		setenv("TERM", "dumb", 1);
		unsetenv("ENV");
		execlp("busybox", "sh", "-i", (char *)0);
		_exit(127);
	}
	type("", "$");
	type("sleep 100\n", "!");
	type("\032", "$");
	type("jobs\n", "$");
	type("bg\n", "$");
	type("jobs\n", "$");
	type("fg\n", "!");
	type("\003", "$");
	type("echo $?\n", "$");
	type("cat\n", "!");
	type("hello\n", "hello\r\nhello\r\n");
	type("\004", "$");
	type("sleep 100 | sleep 101\n", "!");
	type("\032", "$");
	type("sleep 102 &\n", "$");
	type("jobs | sed 's/[0-9][0-9][0-9]* / /'\n", "$");
	type("kill -9 %2; sleep 0.3\n", "$");
	type("kill -9 %1; sleep 0.3\n", "$");
	type("cat &\n", "$");
	usleep(200000);
	type("\n", "$");
	type("fg\n", "!");
	type("typed\n", "typed\r\ntyped\r\n");
	type("\034", "$");
	type("echo $?\n", "$");
	type("trap 'echo interrupted' INT; sleep 100\n", "!");
	type("\003", "$");
	(void)!write(master, "exit 5\n", 7);
	/* The shell leaves when all it has written has been read. */
	int count, status;
	while (length < (int)sizeof screen - 1 && (count = read(master, screen + length, sizeof screen - 1 - length)) > 0)
		length += count;
	waitpid(shell, &status, 0);
	for (int i = 0; i < length; i++) {
		/* The shell asks the terminal where the cursor is, which does not answer. */
		if (!strncmp(screen + i, ASKS, sizeof ASKS - 1))
			i += sizeof ASKS - 2;
		else if (screen[i] != '\r')
			putchar(screen[i]);
	}
	printf("status %d\n", WEXITSTATUS(status));
	return 0;
}
