/* nexthop - "domain", "[host]", "host:port", "[address]:port" */

#include "client.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "address/address.h"

in_port_t
nexthop_port(const char *text)
{
	/* The services file is out of sight in the sandbox. */
	static const struct { const char *name; in_port_t port; } names[] = {
		{ "smtp", 25 }, { "submission", 587 }, { "submissions", 465 },
		{ "smtps", 465 },
	};
	const char *error;
	long long port = strtonum(text, 1, 65535, &error);

	if (error == NULL)
		return (in_port_t)port;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(names[i].name, text) == 0)
			return names[i].port;
	}
	return 0;
}

bool
nexthop_address(const char *text, union resolve_address *address)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
		address->any.sa_family = AF_INET;
		return true;
	}
	if (strncasecmp(text, "IPv6:", 5) == 0)
		text += 5;
	if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
		address->any.sa_family = AF_INET6;
		return true;
	}
	return false;
}

/* Split "host:port" or "[host]:port". Gives the host's length and what follows the colon, or NULL. */
static size_t
split(const char *text, bool *bracketed, const char **port,
    const char **why)
{
	const char *end;

	*port = NULL;
	*bracketed = *text == '[';
	if (*bracketed) {
		end = strchr(text, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':')) {
			*why = "a bracket is not closed, or the wrong thing follows it";
			return 0;
		}
		if (end[1] == ':')
			*port = end + 2;
		return (size_t)(end - text - 1);
	}
	end = strrchr(text, ':');
	if (end == NULL)
		return strlen(text);
	*port = end + 1;
	return (size_t)(end - text);
}

int
nexthop_parse(const char *text, in_port_t default_port,
    struct nexthop *nexthop, const char **why)
{
	bool bracketed;
	const char *port;

	*why = NULL;
	memset(nexthop, 0, sizeof(*nexthop));

	size_t length = split(text, &bracketed, &port, why);

	if (*why == NULL && length == 0)
		*why = "there is no host";
	else if (length >= sizeof(nexthop->host))
		*why = "the name is too long";
	if (*why != NULL)
		return -1;
	memcpy(nexthop->host, text + bracketed, length);
	nexthop->is_address = nexthop_address(nexthop->host,
	    &nexthop->address);
	nexthop->wants_mx = !bracketed && !nexthop->is_address;
	nexthop->port = port == NULL ? default_port : nexthop_port(port);
	if (nexthop->port == 0)
		*why = "the port is neither a number nor a known name";
	else if (!text_is_ascii(nexthop->host, length))
		*why = "internationalized domain names are not supported yet";
	else if (!nexthop->is_address &&
	    !hostname_is_valid(nexthop->host, length))
		*why = "that is no host name";
	else if (nexthop->is_address &&
	    strncasecmp(nexthop->host, "IPv6:", 5) == 0)
		memmove(nexthop->host, nexthop->host + 5, length - 4);
	return *why == NULL ? 0 : -1;
}
