#include "policy/place.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/base.h"

static int
find_host(struct place *place, const char *text, const char **why)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(text, ':');
	struct addrinfo *found = NULL;
	char *host;
	int error;

	if (colon == NULL || colon == text) {
		*why = "expected inet:host:port or unix:path";
		return -1;
	}
	if (*text == '[' && colon[-1] == ']')
		host = mem_strndup(text + 1, (size_t)(colon - text) - 2);
	else
		host = mem_strndup(text, (size_t)(colon - text));
	error = getaddrinfo(host, colon + 1, &hints, &found);
	free(host);
	if (error != 0) {
		*why = gai_strerror(error);
		return -1;
	}
	memcpy(&place->address, found->ai_addr, found->ai_addrlen);
	place->length = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

/* In private/ are the sockets that a daemon in its chroot sees. */
static void
find_path(struct place *place, const char *path)
{
	struct sockaddr_un *address = (void *)&place->address;

	if (!text_starts_with(path, "private/"))
		return;
	address->sun_family = AF_UNIX;
	strlcpy(address->sun_path, path + strlen("private/"),
	    sizeof(address->sun_path));
	place->length = sizeof(*address);
}

int
place_find(const char *text, struct place *place, const char **why)
{
	*place = (struct place){ 0 };
	if (text_starts_with(text, "inet:"))
		return find_host(place, text + strlen("inet:"), why);
	if (!text_starts_with(text, "unix:"))
		return find_host(place, text, why);
	find_path(place, text + strlen("unix:"));
	return 0;
}
