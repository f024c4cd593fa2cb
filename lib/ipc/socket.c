/* socket - packets over SOCK_SEQPACKET, with a descriptor beside them */

#include "ipc/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "config/config.h"
#include "ipc/internal.h"

/* A packet above this travels in a memory file: sockets take some 200 KiB, and large ones want contiguous kernel memory. */
#define PACKET_MAX	(IPC_INLINE_MAX + 49152)

/* The most that a memory file may hold: an envelope of a few hundred thousand recipients. */
#define MEMORY_FILE_MAX	(64 << 20)

/* First byte of each packet: where the body is. */
enum { BODY_INLINE = 'P', BODY_IN_FILE = 'F' };

static const char *directory = "private/";

void
ipc_inside_chroot(void)
{
	directory = "";
}

bool
ipc_is_inside_chroot(void)
{
	return *directory == '\0';
}

static int
connect_path(const char *path, bool nonblocking)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int type = SOCK_SEQPACKET | SOCK_CLOEXEC |
	    (nonblocking ? SOCK_NONBLOCK : 0);

	if (strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
	    sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}

	int fd = socket(AF_UNIX, type, 0);

	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		fd_close(&fd);
	return fd;
}

int
ipc_connect(const char *service, bool nonblocking)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

	if (strchr(service, '/') != NULL)
		return connect_path(service, nonblocking);
	if ((size_t)snprintf(path, sizeof(path), "%s%s", directory, service) >=
	    sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return connect_path(path, nonblocking);
}

static int
send_parts(int fd, char where, const void *body, size_t length,
    const int *fds, size_t fd_count)
{
	union {
		struct cmsghdr	header;
		char		room[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec parts[] = {
		{ &where, 1 }, { (void *)(uintptr_t)body, length },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	if (fd_count > 0) {
		memset(&control, 0, sizeof(control));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));

		struct cmsghdr *header = CMSG_FIRSTHDR(&message);

		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(header), fds, fd_count * sizeof(int));
	}
	for (;;) {
		if (sendmsg(fd, &message, MSG_NOSIGNAL) != -1)
			return 0;
		if (errno != EINTR)
			return -1;
	}
}

static int
send_in_file(int fd, const struct ipc_packet *packet)
{
	int fds[2] = { memfd_create("packet", MFD_CLOEXEC | MFD_ALLOW_SEALING),
	    packet->fd };
	int result = -1;

	if (fds[0] == -1)
		return -1;
	if (fd_write_all(fds[0], packet->body.bytes, packet->body.length) == 0 &&
	    fcntl(fds[0], F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK |
	    F_SEAL_GROW | F_SEAL_SEAL) == 0)
		result = send_parts(fd, BODY_IN_FILE, NULL, 0, fds,
		    packet->fd != -1 ? 2 : 1);
	fd_close(&fds[0]);
	return result;
}

int
ipc_send(int fd, const struct ipc_packet *packet)
{
	if (packet->body.length <= PACKET_MAX) {
		if (send_parts(fd, BODY_INLINE, packet->body.bytes,
		    packet->body.length, &packet->fd, packet->fd != -1) == 0)
			return 0;
		if (errno != EMSGSIZE && errno != ENOBUFS)
			return -1;
	}
	return send_in_file(fd, packet);
}

/* The descriptors of a message, at most two; more, or a cut list, is a fault of the sender's. */
static int
take_descriptors(struct msghdr *message, int fds[2])
{
	int count = 0, surplus = 0;

	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
	    header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET ||
		    header->cmsg_type != SCM_RIGHTS)
			continue;

		size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; i < n; i++) {
			int one;

			memcpy(&one, CMSG_DATA(header) + i * sizeof(int),
			    sizeof(one));
			if (count < 2)
				fds[count++] = one;
			else {
				close(one);
				surplus++;
			}
		}
	}
	return surplus > 0 || (message->msg_flags & MSG_CTRUNC) ? -1 : count;
}

static int
read_memory_file(int fd, struct text *body)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || st.st_size > MEMORY_FILE_MAX ||
	    (fcntl(fd, F_GET_SEALS) & (F_SEAL_WRITE | F_SEAL_SHRINK)) !=
	    (F_SEAL_WRITE | F_SEAL_SHRINK)) {
		errno = EBADMSG;
		return -1;
	}

	char *room = text_reserve(body, (size_t)st.st_size);

	if (fd_pread_full(fd, room, (size_t)st.st_size, 0) != st.st_size) {
		errno = EBADMSG;
		return -1;
	}
	body->length += (size_t)st.st_size;
	body->bytes[body->length] = '\0';
	return 0;
}

static int
accept_parts(struct ipc_packet *packet, char where, int fds[2], int count,
    bool truncated)
{
	int result = -1;

	if (count >= 0 && !truncated) {
		if (where == BODY_INLINE && count <= 1) {
			packet->fd = fds[0];
			fds[0] = -1;
			result = 0;
		} else if (where == BODY_IN_FILE && count >= 1) {
			text_truncate(&packet->body, 0);
			result = read_memory_file(fds[0], &packet->body);
			if (result == 0) {
				packet->fd = fds[1];
				fds[1] = -1;
			}
		}
	}
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	if (result == -1)
		errno = EBADMSG;
	return result;
}

/*
 * A peer that died with requests of ours unread leaves ECONNRESET, once, in
 * front of what it had answered: the answers count, and then the end comes.
 */
static ssize_t
receive_message(int fd, struct msghdr *message, int flags)
{
	for (int resets = 0;;) {
		ssize_t n = recvmsg(fd, message, flags | MSG_CMSG_CLOEXEC);

		if (n != -1 || (errno != EINTR && errno != ECONNRESET))
			return n;
		if (errno == ECONNRESET && resets++ > 0)
			return -1;
	}
}

int
ipc_receive(int fd, struct ipc_packet *packet, bool wait)
{
	union {
		struct cmsghdr	header;
		char		room[CMSG_SPACE(4 * sizeof(int))];
	} control;
	static char arena[PACKET_MAX + 1];
	char where = 0;
	struct iovec parts[] = { { &where, 1 }, { arena, sizeof(arena) } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2,
	    .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n;

	ipc_packet_clear(packet);
	n = receive_message(fd, &message, wait ? 0 : MSG_DONTWAIT);
	if (n == -1)
		return -1;
	if (n == 0)
		return 0;
	text_append(&packet->body, arena, (size_t)n - 1);

	int fds[2] = { -1, -1 };
	int count = take_descriptors(&message, fds);

	return accept_parts(packet, where, fds, count,
	    (message.msg_flags & MSG_TRUNC) != 0) == -1 ? -1 : 1;
}

static int
call_once(int fd, const struct ipc_packet *request, struct ipc_packet *reply)
{
	if (ipc_send(fd, request) == -1)
		return -1;

	int got = ipc_receive(fd, reply, true);

	if (got == 0)
		errno = ECONNRESET;
	return got == 1 ? 0 : -1;
}

int
ipc_call(int *fd, const char *service, const struct ipc_packet *request,
    struct ipc_packet *reply)
{
	for (bool was_open = *fd != -1;; was_open = false) {
		if (*fd == -1)
			*fd = ipc_connect(service, false);
		if (*fd == -1)
			return -1;
		if (call_once(*fd, request, reply) == 0)
			return 0;
		fd_close(fd);
		if (!was_open || (errno != ECONNRESET && errno != EPIPE))
			return -1;
	}
}

int
ipc_nudge(const char *path, const char *what)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	int fd = connect_path(path, true);
	int result = -1;

	if (fd == -1)
		return -1;
	ipc_encode_nudge(&packet, 0, &(struct ipc_nudge){ .what = what });
	result = ipc_send(fd, &packet);
	ipc_packet_clear(&packet);
	fd_close(&fd);
	return result;
}

static uid_t owner = (uid_t)-1;

void
ipc_learn_owner(void)
{
	const struct passwd *entry = getpwnam(config.mail_owner);

	owner = entry != NULL ? entry->pw_uid : geteuid();
}

uid_t
ipc_peer_uid(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ?
	    peer.uid : (uid_t)-1;
}

bool
ipc_peer_is_ours(int fd)
{
	uid_t uid = ipc_peer_uid(fd);

	if (owner == (uid_t)-1)
		ipc_learn_owner();
	return uid != (uid_t)-1 &&
	    (uid == 0 || uid == owner || uid == geteuid());
}
