/*
 * records - zone records one after the other, as they travel between our processes
 *
 * Each is a sign, '+' or '-', then owner, type, time to live and data with
 * uncompressed names. Who reads them does not trust who wrote them.
 */

#ifndef NAMED_LITE_RECORDS_H
#define NAMED_LITE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "dns/rdata.h"
#include "image/image.h"

#define RECORD_ADDED	'+'
#define RECORD_REMOVED	'-'

struct record {
	char	 sign;
	const uint8_t *owner;
	uint16_t type;
	uint32_t ttl;
	uint16_t length;
	const uint8_t *rdata;
};

void	record_put(struct text *to, const struct record *record);

/* Read the one at *at and move behind it. 1; 0 at the end; -1 if it is malformed. */
int	record_next(struct record *record, const uint8_t *bytes, size_t size,
	    size_t *at);

/* The data of a record of a message with its names uncompressed. Octets; -1 if that cannot be. */
int	record_expand(const uint8_t *message, size_t used,
	    const struct dns_record *from, uint8_t to[DNS_RDATA_MAX]);

/* A SOA's serial number. */
uint32_t record_serial(const uint8_t *rdata, size_t length);

/* Is serial a newer than b (RFC 1982)? */
bool	record_is_newer(uint32_t a, uint32_t b);

/* Give each record of an RRset, of a zone, of an image; it is borrowed for the call. */
typedef void record_each(void *argument, const struct record *record);

void	records_of_rrset(const struct image_node *node,
	    const struct image_rrset *rrset, record_each *each,
	    void *argument);
void	records_of_node(const struct image_node *node, record_each *each,
	    void *argument);

#endif
