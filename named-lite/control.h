/*
 * control - what the processes of named-lite say to one another
 *
 * Over SOCK_SEQPACKET pairs, descriptors by SCM_RIGHTS. The loader tells
 * the supervisor what it made; the supervisor hands it on to the answerers
 * and to the envoy. The envoy asks the supervisor for work of the loader.
 * Only fixed structures travel: the supervisor, which may be root, parses
 * nothing.
 */

#ifndef NAMED_LITE_CONTROL_H
#define NAMED_LITE_CONTROL_H

#include <netinet/in.h>
#include <sys/socket.h>

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/name.h"

#define CONTROL_ADDRESSES_MAX	512
#define CONTROL_CHANNELS_MAX	16
#define CONTROL_CHANGES_MAX	16

union control_socket {
	struct sockaddr	any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

/* An address to listen on, with its port, and the interface that has it. */
struct control_address {
	union control_socket socket;
	char	interface[16];
};

/* What a load makes: sealed memory, by descriptor, always all three. */
enum control_file {
	CONTROL_FILE_IMAGE,	/* image/image.h: the zones */
	CONTROL_FILE_PLAN,	/* plan.h: what named.conf says of them, and how they loaded */
	CONTROL_FILE_HISTORY,	/* history.h: how they came to be what they are */
	CONTROL_FILES
};

#define CONTROL_UNCHANGED	UINT_MAX

/* From the loader, with those. */
struct control_loaded {
	unsigned count;			/* CONTROL_UNCHANGED: listen as before */
	unsigned channel_count;
	unsigned has_logging;		/* named.conf says where lines go */
	struct control_address addresses[CONTROL_ADDRESSES_MAX];
	struct control_address channels[CONTROL_CHANNELS_MAX];	/* where rndc is heard */
};

/* To an answerer or to the envoy. */
enum control_kind {
	CONTROL_LISTEN,		/* with two descriptors: UDP and TCP, under that number */
	CONTROL_FORGET,		/* stop listening there */
	CONTROL_IMAGE,		/* with CONTROL_FILES descriptors: they count when the turn has that number */
	CONTROL_TURN,		/* answerer: look at the turn */
	CONTROL_CHANNEL,	/* envoy: with one descriptor, the control channel of that number */
	CONTROL_FORGET_CHANNEL,
	CONTROL_DONE,		/* envoy: what it asked for is over; number 1: it went well */
	CONTROL_QUERYLOG,	/* answerer: log questions, or (number 0) do not */
	CONTROL_DEBUG,		/* answerer, scribe: levels of debugging that are logged */
	CONTROL_LOG,		/* answerer, envoy: lines go to the scribe; scribe: open files anew */
	CONTROL_KINDS
};

struct control_order {
	enum control_kind kind;
	unsigned number;
};

/* What becomes of a zone. */
enum control_action {
	CONTROL_READ,		/* read its file again */
	CONTROL_TRANSFERRED,	/* with one descriptor: the parcel that came (parcel.h) */
	CONTROL_FRESH,		/* the primary has nothing newer: its copy is as good as new */
	CONTROL_EXPIRE,		/* nobody has confirmed it for too long: no more answers */
};

struct control_change {
	enum control_action action;
	struct dns_name apex;
};

/* From the envoy. The supervisor answers each but the last three with CONTROL_DONE. */
enum control_wish {
	CONTROL_RELOAD,		/* named.conf and all zones */
	CONTROL_RECONFIG,	/* named.conf and zones that are new */
	CONTROL_CHANGE,		/* these zones, with the descriptors of the parcels among them */
	CONTROL_SET_QUERYLOG,	/* count 1 or 0 */
	CONTROL_SET_DEBUG,	/* count levels */
	CONTROL_STOP,
};

struct control_request {
	enum control_wish wish;
	unsigned count;
	struct control_change changes[CONTROL_CHANGES_MAX];
};

/*
 * From an answerer to the envoy, over a datagram socket that outlives both:
 * a primary says that a zone has changed. It may be lost.
 */
struct control_notice {
	struct dns_name apex;
	union control_socket from;
};

#define CONTROL_FDS_MAX	CONTROL_CHANGES_MAX

/* Send one packet with its descriptors. 0, or -1 with errno. */
int	control_send(int fd, const void *packet, size_t length,
	    const int *fds, int fd_count);

/*
 * Receive one; *fd_count descriptors go to fds and are the caller's. Octets
 * received, 0 at the end, -1 with errno.
 */
ssize_t	control_receive(int fd, void *packet, size_t size,
	    int fds[CONTROL_FDS_MAX], int *fd_count);

/* Is that a packet of this size, with so many descriptors? If not, they are closed. */
int	control_is_good(ssize_t length, size_t size, int fds[CONTROL_FDS_MAX],
	    int fd_count, int wanted);

#endif
