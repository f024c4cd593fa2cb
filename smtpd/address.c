/* Where a session comes from: the socket's other end, or what a load balancer says of it. */


#include "smtpd/client.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "smtp/haproxy.h"

void
address_note(struct session *s)
{
	/* A client of an IPv6 socket may come by IPv4. */
	if (s->address.any.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&s->address.v6.sin6_addr)) {
		struct sockaddr_in v4 = {
			.sin_family = AF_INET,
			.sin_port = s->address.v6.sin6_port,
		};

		memcpy(&v4.sin_addr, s->address.v6.sin6_addr.s6_addr + 12, 4);
		s->address.v4 = v4;
	}
	if (s->address.any.sa_family == AF_INET)
		inet_ntop(AF_INET, &s->address.v4.sin_addr, s->client_address,
		    sizeof(s->client_address));
	else if (s->address.any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &s->address.v6.sin6_addr,
		    s->client_address, sizeof(s->client_address));
	else
		strlcpy(s->client_address, "unknown",
		    sizeof(s->client_address));
	free((char *)(uintptr_t)s->peer);
	s->peer = mem_printf("unknown[%s]", s->client_address);
}

const char *
address_proxy_protocol(void)
{
	return config.smtpd_screening ?
	    config.postscreen_upstream_proxy_protocol :
	    config.smtpd_upstream_proxy_protocol;
}

size_t
address_take_header(struct session *s, const char *bytes, size_t length)
{
	struct haproxy header;
	ssize_t used = haproxy_parse(bytes, length, &header);

	if (used == 0)
		return 0;
	if (used == -1) {
		log_warning("%s: not a header of the PROXY protocol: closed; "
		    "look at smtpd_upstream_proxy_protocol", s->peer);
		s->ending = true;
		return length;
	}
	if (header.is_proxied) {
		memcpy(&s->address, &header.client, sizeof(s->address));
		memcpy(&s->server, &header.server, sizeof(s->server));
		address_note(s);
	}
	s->busy = true;		/* on_readable() goes on with the beginning */
	return (size_t)used;
}
