#include "service/supervision.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static int told = -1;	/* the socket */

static int
connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if ((*path != '/' && *path != '@') ||
	    strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
	    sizeof(address.sun_path))
		return -1;
	if (*path == '@')
		address.sun_path[0] = '\0';	/* the abstract name space */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&address,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    strlen(path))) == -1)
		fd_close(&fd);
	return fd;
}

void
supervision_tell(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (told == -1 && path != NULL)
		told = connect_to(path);
	if (told != -1)
		send(told, state, strlen(state), MSG_NOSIGNAL);
}

void
supervision_leave(void)
{
	fd_close(&told);
	unsetenv("NOTIFY_SOCKET");
}
