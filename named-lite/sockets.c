#include "named-lite/report.h"
#include "named-lite/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "base/base.h"

#define UDP_BUFFER	(4 << 20)	/* octets of questions that wait, as far as the system allows */
#define TCP_BACKLOG	1024

char *
sockets_print(const struct control_address *address, char text[SOCKETS_TEXT])
{
	bool six = address->socket.any.sa_family == AF_INET6;
	const void *octets = six ?
	    (const void *)&address->socket.six.sin6_addr :
	    (const void *)&address->socket.four.sin_addr;
	char host[INET6_ADDRSTRLEN];

	inet_ntop(address->socket.any.sa_family, octets, host, sizeof(host));
	snprintf(text, SOCKETS_TEXT, "%s#%u", host, ntohs(six ?
	    address->socket.six.sin6_port : address->socket.four.sin_port));
	return text;
}

static void
enlarge(int fd, int forced, int plain)
{
	int size = UDP_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof(size)) == -1)
		(void)setsockopt(fd, SOL_SOCKET, plain, &size, sizeof(size));
}

static int
open_one(const struct control_address *address, int type, bool shared)
{
	bool six = address->socket.any.sa_family == AF_INET6;
	socklen_t length = six ? sizeof(address->socket.six) :
	    sizeof(address->socket.four);
	const struct timeval patience = { 1, 0 };
	int on = 1, fd = socket(address->socket.any.sa_family,
	    type | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if (shared)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (six)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &address->socket.any, length) == -1 ||
	    (type == SOCK_STREAM && listen(fd, TCP_BACKLOG) == -1)) {
		fd_close(&fd);
		return -1;
	}
	if (type == SOCK_STREAM) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		fd_nonblocking(fd, true);
	} else {
		/* Sending may wait for the buffer, but never for long. */
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		    sizeof(patience));
		enlarge(fd, SO_RCVBUFFORCE, SO_RCVBUF);
		enlarge(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	}
	return fd;
}

int
sockets_open(const struct control_address *address, int fds[2])
{
	char text[SOCKETS_TEXT];

	sockets_print(address, text);
	fds[0] = open_one(address, SOCK_DGRAM, true);
	if (fds[0] == -1) {
		report(LOG_CATEGORY_NETWORK, LOG_LEVEL_ERROR,
		    "could not listen on UDP socket %s: %m", text);
		return -1;
	}
	fds[1] = open_one(address, SOCK_STREAM, true);
	if (fds[1] == -1) {
		report(LOG_CATEGORY_NETWORK, LOG_LEVEL_ERROR,
		    "could not listen on TCP socket %s: %m", text);
		fd_close(&fds[0]);
		return -1;
	}
	return 0;
}

int
sockets_open_channel(const struct control_address *address)
{
	return open_one(address, SOCK_STREAM, false);
}

bool
sockets_are_free(const struct control_address *address)
{
	char text[SOCKETS_TEXT];
	int fd = open_one(address, SOCK_DGRAM, false);

	if (fd == -1) {
		report(LOG_CATEGORY_NETWORK, LOG_LEVEL_ERROR,
		    "could not listen on UDP socket %s: %m",
		    sockets_print(address, text));
		return false;
	}
	fd_close(&fd);
	return true;
}
