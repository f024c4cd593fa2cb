/*
 * ipc - how the daemons talk: typed messages over SOCK_SEQPACKET
 *
 * One message a packet: kind, request number, then the fields of its row in
 * messages.def, in that order. A reply carries the number of its request, so
 * that an event-driven peer keeps many in flight. What does not match its row
 * is a protocol error: the receiver logs it and closes; it never crashes.
 * A packet that is too large for a socket travels in a sealed memory file.
 *
 * Sockets lie in public/ and private/ of the queue directory, which is where
 * daemons live; private/ has a name for every service, and is all that a
 * daemon in a chroot sees.
 *
 * Workers use the blocking calls here, event-driven daemons ipc/channel.h.
 */

#ifndef IPC_IPC_H
#define IPC_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"

/* Content up to this many bytes travels inside the packet and lies in the journal; above it is a file. */
#define IPC_INLINE_MAX	65536

/* In the queue directory: where sendmail of any user reaches pickup. */
#define SUBMIT_SOCKET	"submit"

struct ipc_bytes {
	const char	*bytes;
	size_t		 length;
};

/* A message as it travels. All zeros and fd -1 (IPC_PACKET_EMPTY) to begin, ipc_packet_clear() to end. */
struct ipc_packet {
	struct text	 body;
	int		 fd;		/* owned */
};

#define IPC_PACKET_EMPTY	{ .fd = -1 }

enum ipc_kind {
	IPC_NOTHING,
#define MESSAGE(name, fields)	IPC_##name,
#include "ipc/messages.def"
#undef MESSAGE
	IPC_KIND_COUNT
};

/* One struct a message: struct ipc_submit, struct ipc_submit_result... */
#define IPC_TYPE_INT	int64_t
#define IPC_TYPE_STRING	const char *
#define IPC_TYPE_BYTES	struct ipc_bytes
#define IPC_TYPE_FD	int
#define FIELD(type, name)	IPC_TYPE_##type name;
#define MESSAGE(name, fields)	struct ipc_##name { fields };
#include "ipc/messages.def"
#undef MESSAGE
#undef FIELD

/*
 * ipc_encode_<name>(packet, request, message): replaces the packet's body. The
 * packet's fd becomes the message's, which it owns from now on.
 * ipc_decode_<name>(packet, message): 0, or -1 if the packet is not exactly
 * such a message. Strings and bytes borrow the packet; an FD field too: use
 * ipc_packet_take_fd() to keep it.
 */
#define MESSAGE(name, fields)						\
	void	ipc_encode_##name(struct ipc_packet *packet,		\
	    uint64_t request, const struct ipc_##name *message);	\
	int	ipc_decode_##name(const struct ipc_packet *packet,	\
	    struct ipc_##name *message);
#include "ipc/messages.def"
#undef MESSAGE

void	ipc_packet_clear(struct ipc_packet *packet);
int	ipc_packet_take_fd(struct ipc_packet *packet);

/* IPC_NOTHING if it is too short to have a kind, or the kind is unknown. */
enum ipc_kind ipc_packet_kind(const struct ipc_packet *packet);
const char *ipc_kind_name(enum ipc_kind kind);

uint64_t ipc_packet_request(const struct ipc_packet *packet);
void	ipc_packet_set_request(struct ipc_packet *packet, uint64_t request);

/* After a chroot into private/: names are looked up in the root from now on. */
void	ipc_inside_chroot(void);
bool	ipc_is_inside_chroot(void);

/*
 * A connection to a service of this suite by its name ("cleanup"). The
 * working directory is the queue directory. The descriptor, or -1 with errno.
 */
int	ipc_connect(const char *service, bool nonblocking);

/* Send one packet. 0, or -1 with errno (EAGAIN on a non-blocking socket). Borrows the packet. */
int	ipc_send(int fd, const struct ipc_packet *packet);

/* Receive one: 1, 0 at the end of the connection, -1 with errno (EBADMSG: not a packet of ours). */
int	ipc_receive(int fd, struct ipc_packet *packet, bool wait);

/*
 * Ask and wait for the answer, over *fd, which is opened if it is -1 and
 * closed on failure. The request is sent again once if a connection from
 * before turns out to be dead. 0, or -1 with errno.
 */
int	ipc_call(int *fd, const char *service, const struct ipc_packet *request,
	    struct ipc_packet *reply);

/*
 * Send a nudge to the socket at path without ever waiting. 0, or -1 with
 * errno; nobody there or no room there (EAGAIN) need not worry the caller.
 */
int	ipc_nudge(const char *path, const char *what);

/* Look up the mail owner now, while a daemon can still read /etc/passwd. */
void	ipc_learn_owner(void);

/* Who is at the other end (SO_PEERCRED); -1 if that is not known. */
uid_t	ipc_peer_uid(int fd);

/* True if the peer is root, the mail owner, or this process's own user (SO_PEERCRED). */
bool	ipc_peer_is_ours(int fd);

#endif
