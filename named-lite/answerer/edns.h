/* edns - the OPT record of an answer and its options (RFC 6891, 5001, 7828, 7830, 7873) */

#ifndef NAMED_LITE_ANSWERER_EDNS_H
#define NAMED_LITE_ANSWERER_EDNS_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

/* What the options depend on. */
struct edns {
	const struct image *image;
	const struct dns_query *query;
	const struct sockaddr *client;
	bool	 is_tcp;
	bool	 has_cookie;	/* one of ours: the client is where it says */
};

/* Look at the cookie. */
void	edns_init(struct edns *edns, const struct image *image,
	    const struct dns_query *query, const struct sockaddr *client,
	    bool is_tcp);

/* Octets that the record takes; 0 if there is none. Padding comes out of what is left. */
size_t	edns_room(const struct edns *edns);

/* Write the record at octet `used` of an answer that may grow to limit. Gives its octets. */
size_t	edns_put(const struct edns *edns, uint16_t rcode, uint8_t *out,
	    size_t used, size_t limit);

#endif
