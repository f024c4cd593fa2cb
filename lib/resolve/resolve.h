/*
 * resolve - DNS questions that nobody waits for
 *
 * c-ares asks, the event loop waits. What it needs from the file system,
 * resolv.conf and /etc/hosts, is read by resolve_new(): call it before the
 * sandbox closes.
 *
 *   1  The callback runs once, never before the function that asked has
 *      returned, and never after resolve_cancel().
 *   2  "There is no such name" and "the name has no such record" are told
 *      only when a server said so. All else is temporary.
 */

#ifndef RESOLVE_RESOLVE_H
#define RESOLVE_RESOLVE_H

#include <sys/socket.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct resolver;
struct resolve_query;

enum resolve_result {
	RESOLVE_FOUND,
	RESOLVE_NOT_FOUND,	/* no such name */
	RESOLVE_NO_DATA,	/* the name is there, the record is not */
	RESOLVE_TEMPORARY,	/* nobody knows just now */
};

/* What the C library would say of it: "Host not found, try again". */
const char *resolve_reason(enum resolve_result result);

union resolve_address {
	struct sockaddr		any;
	struct sockaddr_in	v4;
	struct sockaddr_in6	v6;
};

struct resolve_mx {
	unsigned	 preference;
	const char	*host;		/* "" in a null MX (RFC 7505) */
};

/* An answer, borrowed for the callback. Only the member that was asked for is set. */
struct resolve_answer {
	enum resolve_result		 result;
	size_t				 count;		/* at least 1 when found */
	const union resolve_address	*addresses;	/* port 0; the server's order, IPv6 first */
	const struct resolve_mx		*mx;		/* by preference */
	const char			*name;		/* of an address: without the last dot */
	char *const			*names;		/* name servers; the texts of TXT records */
	const char			*why;		/* no server's fault, but the sieve's; else NULL */
	unsigned			 ttl;		/* of IPv4 addresses, also that there are none: seconds; 0: nobody said */
};

typedef void resolve_done(const struct resolve_answer *answer, void *argument);

enum {				/* which addresses, and from where */
	RESOLVE_V4	= 1 << 0,
	RESOLVE_V6	= 1 << 1,
	RESOLVE_HOSTS	= 1 << 2,	/* /etc/hosts first, as the C library does */
};

/* NULL and *why without memory or with a resolv.conf that cannot be read. Keeps base. */
struct resolver *resolve_new(struct event_base *base, const char **why);

/* Also forgets the queries under way, without a word. Clears *resolver; NULL is fine. */
void	resolve_free(struct resolver **resolver);

/*
 * What the administrator thinks of a record, "mail.example. 3600 IN MX 10
 * mx.example.". If he wants none of those that came, or nobody knows what
 * he wants, the answer is temporary. Not asked where /etc/hosts comes first.
 */
enum resolve_sifted { RESOLVE_KEEP, RESOLVE_DROP, RESOLVE_WRONG };
typedef enum resolve_sifted resolve_sieve(const char *record);
void	resolve_sift_with(struct resolver *resolver, resolve_sieve *sieve);

/* Give a query to cancel, valid until its callback runs. Keep argument until then. */
struct resolve_query *resolve_addresses(struct resolver *resolver,
	    const char *host, unsigned from, resolve_done *done, void *argument);
struct resolve_query *resolve_mx(struct resolver *resolver,
	    const char *domain, resolve_done *done, void *argument);
struct resolve_query *resolve_ns(struct resolver *resolver,
	    const char *domain, resolve_done *done, void *argument);
struct resolve_query *resolve_text(struct resolver *resolver,
	    const char *domain, resolve_done *done, void *argument);
struct resolve_query *resolve_name(struct resolver *resolver,
	    const struct sockaddr *address, unsigned from, resolve_done *done,
	    void *argument);

/* Forget the query. Clears *query; NULL is fine. */
void	resolve_cancel(struct resolve_query **query);

/* Do two socket addresses name the same host? Ports do not count; ::ffff:192.0.2.1 is 192.0.2.1. */
bool	resolve_same_host(const struct sockaddr *a, const struct sockaddr *b);

#endif
