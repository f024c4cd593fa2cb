#include "named-lite/loader/addresses.h"

#include <string.h>

#include "base/base.h"

/*
 * An address of this host. BIND binds each one by itself, so that answers
 * leave from where the question went and another server on another address
 * is left alone; so do we.
 */
static void
add_address(struct control_loaded *loaded, const struct acl_interface *from,
    uint16_t port)
{
	struct control_address *to = &loaded->addresses[loaded->count];

	if (loaded->count == CONTROL_ADDRESSES_MAX) {
		log_warning("more than %d addresses to listen on: the rest is "
		    "left out", CONTROL_ADDRESSES_MAX);
		return;
	}
	memset(to, 0, sizeof(*to));
	memcpy(&to->socket, &from->address, sizeof(to->socket));
	if (to->socket.any.sa_family == AF_INET)
		to->socket.four.sin_port = htons(port);
	else
		to->socket.six.sin6_port = htons(port);
	for (unsigned i = 0; i < loaded->count; i++)
		if (memcmp(&loaded->addresses[i].socket, &to->socket,
		    sizeof(to->socket)) == 0)
			return;
	strlcpy(to->interface, from->name, sizeof(to->interface));
	loaded->count++;
}

/* All of 127/8 is this host's, whatever its interfaces say. */
static void
add_loopback(struct control_loaded *loaded, const struct listen_on *listen,
    const struct image_match *list)
{
	struct acl_interface lo = { .name = "lo", .prefix = 8 };
	struct sockaddr_in *address = (struct sockaddr_in *)&lo.address;

	for (const struct image_match *row = list + 1;
	    row < list + 1 + list->count; row++) {
		if (row->kind == MATCH_LIST)
			row += row->count;
		else if (row->kind == MATCH_IPV4 && !row->negated &&
		    row->prefix == 32 && row->address[0] == 127) {
			address->sin_family = AF_INET;
			memcpy(&address->sin_addr, row->address, 4);
			add_address(loaded, &lo, listen->port);
		}
	}
}

void
addresses_choose(struct control_loaded *loaded, const struct settings *settings,
    const struct options *options)
{
	const struct acls *acls = &settings->acls;

	for (size_t i = 0; i < settings->listen_count; i++) {
		const struct listen_on *listen = &settings->listens[i];

		if ((listen->family == AF_INET && options->only_six) ||
		    (listen->family == AF_INET6 && options->only_four))
			continue;
		for (size_t n = 0; n < acls->interface_count; n++) {
			const struct sockaddr *address = (const struct
			    sockaddr *)&acls->interfaces[n].address;

			if (address->sa_family == listen->family &&
			    acls_allow(acls, listen->acl, address))
				add_address(loaded, &acls->interfaces[n],
				    listen->port);
		}
		if (listen->acl != 0)
			add_loopback(loaded, listen, acls->rows + listen->acl);
	}
}
