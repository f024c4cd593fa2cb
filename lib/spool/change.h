/*
 * change - where messages are to lie, made durable together
 *
 * A change says where a message lies and where it shall: out of the journal
 * into a file, from one queue to another, out of the spool; with which marks,
 * and when it is tried again. Many changes share the flushes: one of each file
 * that was written, one of each directory that was touched.
 *
 * A message that moves is durable in its new place before it leaves the old
 * one (invariant 5 of spool.h); out of the journal it has gone only when its
 * marks there are durable, too: whoever removes the file later need not think of
 * them. Whoever dies in between may ask again: what
 * is done already counts as done.
 */

#ifndef SPOOL_CHANGE_H
#define SPOOL_CHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "spool/spool.h"
#include "spool/unnamed.h"

/* Beside the queues: where a message comes from, and where it goes in the end. */
enum { SPOOL_JOURNAL = -1, SPOOL_NOWHERE = -2 };

/* At most so many at once: each may hold a descriptor. */
#define SPOOL_CHANGES_MAX	500

struct spool_change {
	const char	*id;
	int		 from;		/* enum spool_queue, or SPOOL_JOURNAL: then segment and offset say where */
	int		 to;		/* enum spool_queue, or SPOOL_NOWHERE */
	int		 segment;
	int64_t		 offset;
	const char	*marks;		/* as they shall be; NULL: as they are */
	size_t		 marks_length;
	const char	*reasons;	/* why it waits; NULL: as they are */
	size_t		 reasons_length;
	int64_t		 retry_at;	/* 0: as it is */
	bool		 warned;	/* its sender knows that it waits; false: as it is */

	int		 error;		/* what came of it: 0, or an errno */
	struct unnamed	 file;		/* between the steps */
	size_t		 recipients;
};

/* Carry all of them out. Each has its error afterwards; what failed is where it was. */
void	spool_change_all(struct spool_change *changes, size_t count);

#endif
