/*
 * control - what the processes of named-lite say to one another
 *
 * Over SOCK_SEQPACKET pairs, descriptors by SCM_RIGHTS. The loader tells
 * the supervisor what it made; the supervisor hands it on to the answerers.
 * Only fixed structures travel: the supervisor, which may be root, parses
 * nothing.
 */

#ifndef NAMED_LITE_CONTROL_H
#define NAMED_LITE_CONTROL_H

#include <netinet/in.h>
#include <sys/socket.h>

#include <stddef.h>

#define CONTROL_ADDRESSES_MAX	512

/* An address to listen on, with its port, and the interface that has it. */
struct control_address {
	union {
		struct sockaddr	any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} socket;
	char	interface[16];
};

/* From the loader, with the descriptor of the image. */
struct control_loaded {
	unsigned count;
	struct control_address addresses[CONTROL_ADDRESSES_MAX];
};

/* To an answerer. */
enum control_kind {
	CONTROL_LISTEN,		/* with two descriptors: UDP and TCP, under that number */
	CONTROL_FORGET,		/* stop listening there */
	CONTROL_IMAGE,		/* with one descriptor: answer from it from now on */
};

struct control_order {
	enum control_kind kind;
	unsigned number;
};

#define CONTROL_FDS_MAX	2

/* Send one packet with its descriptors. 0, or -1 with errno. */
int	control_send(int fd, const void *packet, size_t length,
	    const int *fds, int fd_count);

/*
 * Receive one; *fd_count descriptors go to fds and are the caller's. Octets
 * received, 0 at the end, -1 with errno.
 */
ssize_t	control_receive(int fd, void *packet, size_t size,
	    int fds[CONTROL_FDS_MAX], int *fd_count);

#endif
