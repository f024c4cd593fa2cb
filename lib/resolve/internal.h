/* What the files of lib/resolve share. */

#ifndef RESOLVE_INTERNAL_H
#define RESOLVE_INTERNAL_H

#include <ares.h>

#include <sys/queue.h>

#include "resolve/resolve.h"

struct channel_socket;

/* /etc/hosts, as it was when the daemon started. */
struct hosts;

/* A file that is not there is an empty one. Released with hosts_free(). */
struct hosts *hosts_read(const char *path);
void	hosts_free(struct hosts **hosts);

/* The addresses of a name, at most limit of them; gives how many. */
size_t	hosts_addresses(const struct hosts *hosts, const char *name,
	    unsigned families, union resolve_address *addresses, size_t limit);

/* The name of an address; NULL if there is none. */
const char *hosts_name(const struct hosts *hosts,
	    const struct sockaddr *address);

/* absence.c: the TTL of an answer that has no records; 0: it does not say. */
unsigned absence_ttl(const unsigned char *bytes, size_t length);

/* sift.c: the records of an answer that the sieve does not want count no more. What is to be said of an answer that is none then; else NULL. */
const char *sift(resolve_sieve *sieve, uint8_t *message, size_t length);

struct resolver {
	struct event_base	*base;
	ares_channel		 channel;
	struct event		*timer;
	struct hosts		*hosts;
	resolve_sieve		*sieve;
	LIST_HEAD(, channel_socket) sockets;
};

struct resolve_query {
	struct resolver		*resolver;
	resolve_done		*done;		/* NULL: cancelled, waits for c-ares */
	void			*argument;
	unsigned		 waiting;	/* answers of c-ares still to come */
	bool			 as_library;	/* the C library's answer is wanted: nobody sifts it */
	const char		*why;
	bool			 starting;	/* the function that asks has not returned */
	struct event		*soon;		/* to answer from the loop */
	enum resolve_result	 result;
	size_t			 count;
	union resolve_address	*addresses;
	struct resolve_mx	*mx;
	char			*name;
	char			**names;
	unsigned		 ttl;
};

/* channel.c: when c-ares wants to be called next. */
void	channel_set_timer(struct resolver *resolver);

/*
 * query.c. A function that asks calls query_new(), counts its questions in
 * waiting as it gives them to c-ares, and returns query_started(). c-ares' call
 * for an answer begins with query_arrived(), goes on if that is true, and ends
 * with query_finish(), which answers when nothing is waited for any more.
 */
struct resolve_query *query_new(struct resolver *resolver, resolve_done *done,
	    void *argument);
struct resolve_query *query_started(struct resolve_query *query);
bool	query_arrived(struct resolve_query *query, int status);
void	query_finish(struct resolve_query *query);

/* The status of an answer with what the sieve left of it. */
int	query_sifted(struct resolve_query *query, int status,
	    unsigned char *bytes, int length);

/* The best result of several questions counts. */
void	query_note(struct resolve_query *query, int status);

#endif
