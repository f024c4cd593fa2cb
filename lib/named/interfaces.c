#include "named/interfaces.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <errno.h>

#include "base/fd.h"

int
interfaces_watch(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK,
	    .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_ROUTE);

	if (fd != -1 && bind(fd, (struct sockaddr *)&address,
	    sizeof(address)) == -1)
		fd_close(&fd);
	return fd;
}

bool
interfaces_changed(int fd)
{
	bool changed = false;

	for (;;) {
		char message[8192];
		ssize_t length = recv(fd, message, sizeof(message), 0);

		/* Which address it was is asked anew; that there was one is enough. */
		if (length > 0 || (length == -1 && errno == ENOBUFS))
			changed = true;
		else if (length == 0 || errno != EINTR)
			return changed;
	}
}
