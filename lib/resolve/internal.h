/* What the files of lib/resolve share. */

#ifndef RESOLVE_INTERNAL_H
#define RESOLVE_INTERNAL_H

#include "resolve/resolve.h"

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

#endif
