/* place - where a service is that main.cf names: "inet:host:port", "host:port", "unix:path" */

#ifndef POLICY_PLACE_H
#define POLICY_PLACE_H

#include <sys/socket.h>

struct place {
	struct sockaddr_storage	 address;
	socklen_t		 length;	/* 0: a socket that a daemon in its chroot does not see */
};

/* Looks the host up, and waits for that: before the first client. 0, or -1 with *why. */
int	place_find(const char *text, struct place *place, const char **why);

#endif
