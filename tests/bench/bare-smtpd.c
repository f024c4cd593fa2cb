/*
 * bare-smtpd - answers bots in a few fixed words, and does nothing else
 *
 * The floor of a refused session: the system calls that nobody can leave out
 * (accept, register, five replies, four reads, close), with no parser, no
 * check and no log. Listens on 127.0.0.1, prints its port, ends when its
 * standard input does.
 */

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64, BACKLOG = 1000 };

static const char banner[] = "220 mail.example.org ESMTP\r\n";

/* By the first letter of the command. */
static const struct {
	char		 letter;
	const char	*reply;
} replies[] = {
	{ 'E', "250-mail.example.org\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n"
	    "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n" },
	{ 'M', "250 2.1.0 Ok\r\n" },
	{ 'R', "550 5.1.1 <nobody-here@example.org>: Recipient address rejected: User unknown in local recipient table\r\n" },
	{ 'Q', "221 2.0.0 Bye\r\n" },
};

static int loop;

static void
watch(int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) == -1)
		err(1, "epoll_ctl");
}

static int
listen_somewhere(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (fd == -1 || bind(fd, (struct sockaddr *)&address, size) == -1 || listen(fd, BACKLOG) == -1 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) == -1)
		err(1, "listen");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void
welcome_all(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		send(fd, banner, sizeof(banner) - 1, MSG_NOSIGNAL);
		watch(fd);
	}
}

static void
answer(int fd)
{
	char command[4096];

	if (read(fd, command, sizeof(command)) <= 0) {
		close(fd);
		return;
	}
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		bool is_last = command[0] == 'Q';

		if (command[0] != replies[i].letter)
			continue;
		send(fd, replies[i].reply, strlen(replies[i].reply), MSG_NOSIGNAL | (is_last ? MSG_MORE : 0));
		if (is_last)
			close(fd);
		return;
	}
}

int
main(void)
{
	struct epoll_event events[EVENTS];
	int listener;

	loop = epoll_create1(EPOLL_CLOEXEC);
	listener = listen_somewhere();
	watch(listener);
	watch(STDIN_FILENO);
	for (;;) {
		int count = epoll_wait(loop, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd == STDIN_FILENO)
				return 0;
			if (fd == listener)
				welcome_all(fd);
			else
				answer(fd);
		}
	}
}
