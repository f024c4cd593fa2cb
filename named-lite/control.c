#include "named-lite/control.h"

#include <stdint.h>
#include <string.h>

#include "base/fd.h"

int
control_send(int fd, const void *packet, size_t length, const int *fds,
    int fd_count)
{
	struct iovec iov = { (void *)(uintptr_t)packet, length };
	union {
		struct cmsghdr head;
		char	 space[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
	} control = { { 0 } };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd_count > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));

		struct cmsghdr *head = CMSG_FIRSTHDR(&message);

		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(head), fds, fd_count * sizeof(int));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL) == -1 ? -1 : 0;
}

ssize_t
control_receive(int fd, void *packet, size_t size, int fds[CONTROL_FDS_MAX],
    int *fd_count)
{
	struct iovec iov = { packet, size };
	union {
		struct cmsghdr head;
		char	 space[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
	} control;
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t length = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

	*fd_count = 0;
	if (length == -1)
		return -1;
	for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head != NULL;
	    head = CMSG_NXTHDR(&message, head)) {
		if (head->cmsg_level != SOL_SOCKET ||
		    head->cmsg_type != SCM_RIGHTS)
			continue;
		*fd_count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(head), *fd_count * sizeof(int));
	}
	return length;
}

int
control_is_good(ssize_t length, size_t size, int fds[CONTROL_FDS_MAX],
    int fd_count, int wanted)
{
	if (length == (ssize_t)size && fd_count == wanted)
		return 1;
	for (int i = 0; i < fd_count; i++)
		fd_close(&fds[i]);
	return 0;
}
