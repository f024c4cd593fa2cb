/*
 * history - what changed in zones from one serial number to the next, for IXFR (RFC 1995)
 *
 * A sealed file in memory beside the image, made by comparing what is served
 * with what is going to be.
 *
 *   1  The last step of a zone leads to the serial number that is served.
 *   2  All steps of a zone together are no larger than the zone, and fewer
 *      than HISTORY_STEPS_MAX: the oldest are forgotten first.
 */

#ifndef NAMED_LITE_LOADER_HISTORY_H
#define NAMED_LITE_LOADER_HISTORY_H

#include <stdint.h>

#include "image/image.h"
#include "named-lite/plan.h"

#define HISTORY_MAGIC		0x686973746f727901ULL
#define HISTORY_STEPS_MAX	100

struct history_header {
	uint64_t magic;
	uint64_t size;
};

/* Followed by records: those that went, the old SOA first, then those that came, the new SOA first. */
struct history_step {
	uint32_t size;		/* of all of it, a multiple of eight */
	uint32_t length;	/* of the records */
	uint32_t from, to;
	struct dns_name apex;
};

struct history {
	const struct history_header *header;	/* NULL: none */
	size_t	 size;
};

int	history_map(struct history *history, int fd);
void	history_unmap(struct history *history);

/* The step of that zone that begins with this serial number, NULL if it is not there. */
const struct history_step *history_find(const struct history *history,
	    const uint8_t *apex, uint32_t from);

/*
 * Compare and write. old and its plan may be none. A sealed descriptor, or
 * -1 with errno.
 */
int	history_make(const struct history *before, const struct image *old,
	    const struct image *new, const struct plan_zone *zones,
	    size_t zone_count);

#endif
