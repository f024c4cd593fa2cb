/*
 * drop - a file of maildrop: whole and durable before it has a name
 *
 * For postdrop(1), and for mail that postsuper(1) requeues. The working
 * directory is the queue directory. All give 0, or -1 with errno; whatever
 * happens before the commit, nothing is left behind.
 */

#ifndef TOOLS_SHARED_DROP_H
#define TOOLS_SHARED_DROP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"
#include "spool/unnamed.h"

/* Embedded by its owner; drop_commit() or drop_abandon() ends it. */
struct drop {
	struct unnamed	file;
	size_t		recipients;
	size_t		envelope_length;
	int64_t		content_length;
	uint32_t	checksum;
};

/* Begin with an envelope of so many recipients. */
int	drop_begin(struct drop *drop, mode_t mode, const struct text *envelope,
	    size_t recipients);

/* More of the content. */
int	drop_write(struct drop *drop, const void *bytes, size_t length);

/* Make it durable, then give it a name, durably. */
int	drop_commit(struct drop *drop);

void	drop_abandon(struct drop *drop);

#endif
