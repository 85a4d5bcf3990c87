/* AF_UNIX: a pair, a server by name and one by abstract name, and what is refused. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_un name = {AF_UNIX, "socket"}, abstract = {AF_UNIX, "\0name"}, peer;
	socklen_t length = sizeof peer, size = sizeof(int);
	char data[16];
	struct iovec part = {"with", 4};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct ucred who;
	int pair[2], value;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	sendmsg(pair[0], &message, MSG_NOSIGNAL);
	part.iov_base = data;
	part.iov_len = sizeof data;
	recvmsg(pair[1], &message, 0);
	send(pair[0], "peeked", 6, 0);
	recv(pair[1], data, 3, MSG_PEEK);
	recv(pair[1], data, 16, MSG_DONTWAIT);
	recv(pair[1], data, 16, MSG_DONTWAIT);
	shutdown(pair[0], SHUT_WR);
	read(pair[1], data, 16);
	getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &who, &(socklen_t){sizeof who});
	getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &value, &size);

	int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(client, (struct sockaddr *)&name, sizeof name);
	bind(server, (struct sockaddr *)&name, sizeof name);
	connect(client, (struct sockaddr *)&name, sizeof name);
	listen(server, 1);
	connect(client, (struct sockaddr *)&name, sizeof name);
	int accepted = accept4(server, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);
	length = sizeof peer;
	getsockname(accepted, (struct sockaddr *)&peer, &length);
	length = sizeof peer;
	getpeername(client, (struct sockaddr *)&peer, &length);
	write(accepted, "hello", 5);
	read(client, data, 16);
	close(accepted);
	read(client, data, 16);
	send(client, "x", 1, MSG_NOSIGNAL);
	unlink("socket");

	server = socket(AF_UNIX, SOCK_STREAM, 0);
	bind(server, (struct sockaddr *)&abstract, 7);
	bind(server, (struct sockaddr *)&abstract, 7);
	listen(server, 0);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	connect(client, (struct sockaddr *)&abstract, 7);
	length = sizeof peer;
	getpeername(client, (struct sockaddr *)&peer, &length);
	listen(client, 1);
	socket(AF_UNIX, 77, 0);
	write(pair[1], "y", 1);
	write(99, "z", 1);
	return 0;
}
