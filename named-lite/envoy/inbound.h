/*
 * inbound - the messages of a transfer, read into a parcel (RFC 5936, RFC 1995)
 *
 *   1  What comes is a sequence of records that ends where its SOAs say;
 *      whatever breaks it, or comes behind, ends the transfer.
 *   2  Each record of the parcel is well formed for its type and within the
 *      zone; no more than `most` octets are kept.
 */

#ifndef NAMED_LITE_ENVOY_INBOUND_H
#define NAMED_LITE_ENVOY_INBOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "dns/name.h"

enum inbound_state {
	INBOUND_START,		/* the first SOA is awaited */
	INBOUND_SECOND,		/* what follows it tells whether these are differences */
	INBOUND_WHOLE,
	INBOUND_REMOVED,
	INBOUND_ADDED,
	INBOUND_END,
	INBOUND_UP_TO_DATE,	/* there is nothing newer */
};

struct inbound {
	struct dns_name apex;
	uint16_t id;
	uint16_t type;		/* of the question: AXFR or IXFR */
	uint32_t serial;	/* IXFR: what we have */
	uint64_t most;		/* octets */
	uint32_t most_records;	/* 0: any number */

	enum inbound_state state;
	uint32_t target;	/* serial number */
	uint32_t step;		/* that the present step leads to */
	struct text first_soa;	/* INBOUND_SECOND: its record */
	struct text parcel;	/* header and records */
	unsigned messages, records;
};

/* Begin. apex, id, type, serial, most are set. */
void	inbound_init(struct inbound *in);
void	inbound_clear(struct inbound *in);

/* Read a message, without its signature. NULL, or why it ends here. *rcode is what the primary said. */
const char *inbound_message(struct inbound *in, const uint8_t *message,
	    size_t length, unsigned *rcode);

/* Is it over? */
static inline bool
inbound_is_complete(const struct inbound *in)
{
	return in->state == INBOUND_END || in->state == INBOUND_UP_TO_DATE;
}

/* The parcel as a sealed file in memory. A descriptor, or -1 with errno. */
int	inbound_seal(struct inbound *in);

#endif
