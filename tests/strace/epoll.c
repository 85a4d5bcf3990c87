/* Waiting for descriptors: epoll, poll and select over pipes and an eventfd. */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <unistd.h>

int main(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = 0x1234}, got[4];
	struct timeval zero = {0, 0};
	uint64_t value = 3;
	int pipes[2];
	fd_set set;

	pipe2(pipes, O_NONBLOCK);
	int epoll = epoll_create1(EPOLL_CLOEXEC), counter = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
	epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[0], &event);
	epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[0], &event);
	event.data.u64 = 9;
	event.events = EPOLLIN | EPOLLOUT;
	epoll_ctl(epoll, EPOLL_CTL_ADD, counter, &event);
	epoll_wait(epoll, got, 4, 0);
	write(pipes[1], "abc", 3);
	epoll_wait(epoll, got, 4, -1);
	epoll_wait(epoll, got, 4, 10);
	event.events = EPOLLOUT | EPOLLONESHOT;
	epoll_ctl(epoll, EPOLL_CTL_MOD, counter, &event);
	epoll_wait(epoll, got, 1, 0);
	epoll_wait(epoll, got, 1, 0);
	epoll_ctl(epoll, EPOLL_CTL_DEL, counter, NULL);
	epoll_ctl(epoll, EPOLL_CTL_DEL, counter, NULL);
	epoll_wait(epoll, got, 0, 0);
	read(counter, &value, 8);
	read(counter, &value, 8);
	read(counter, &value, 8);
	read(counter, &value, 4);
	struct pollfd polled[3] = {{pipes[0], POLLIN, 0}, {pipes[1], POLLOUT, 0}, {99, POLLIN, 0}};
	poll(polled, 3, 1000);
	poll(polled + 2, 1, 0);
	FD_ZERO(&set);
	FD_SET(pipes[0], &set);
	FD_SET(counter, &set);
	select(counter + 1, &set, NULL, NULL, &zero);
	FD_SET(50, &set);
	select(51, &set, NULL, NULL, &zero);
	close(pipes[0]);
	polled[1].events = POLLOUT;
	poll(polled + 1, 1, 0);
	return 0;
}
