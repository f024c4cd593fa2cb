/* sd_notify(3) without its library: datagrams to $NOTIFY_SOCKET. */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/base.h"
#include "master/master.h"

void
notify(const char *state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");

	if (path == NULL || (*path != '/' && *path != '@') ||
	    strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
	    sizeof(address.sun_path))
		return;
	if (*path == '@')
		address.sun_path[0] = '\0';	/* the abstract name space */

	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd != -1)
		sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		    (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
		    strlen(path)));
	fd_close(&fd);
}

static void
on_watchdog(evutil_socket_t fd, short what, void *context)
{
	notify("WATCHDOG=1");
}

void
notify_start_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	long long interval = usec == NULL ? 0 : atoll(usec) / 2;

	if (interval <= 0 || (pid != NULL && atol(pid) != (long)getpid()))
		return;

	const struct timeval half = { interval / 1000000, interval % 1000000 };

	event_add(event_new(master_base, -1, EV_PERSIST, on_watchdog, NULL),
	    &half);
}
