/*
 * haproxy - the header with which a load balancer tells whose connection it hands on
 *
 * The PROXY protocol, versions 1 (a line) and 2 (binary). Bytes in, struct out.
 */

#ifndef SMTP_HAPROXY_H
#define SMTP_HAPROXY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define HAPROXY_HEADER_MAX	(16 + 1024)	/* longer ones are refused */

struct haproxy {
	bool	is_proxied;	/* else the balancer speaks for itself (a health check) */
	union {
		struct sockaddr		any;
		struct sockaddr_in	v4;
		struct sockaddr_in6	v6;
	}	client, server;
};

/* Gives the bytes of the header, 0 when not all of it has come, -1 when it is none. */
ssize_t	haproxy_parse(const char *bytes, size_t length,
	    struct haproxy *header);

#endif
