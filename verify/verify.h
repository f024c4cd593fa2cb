/* verify.h - what the files of verify share */

#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "delivery/verify.h"

/* What is known of an address; times are seconds since 1970, 0: never. */
struct verdict {
	enum verify_status	 status;
	int64_t			 updated;
	const char		*text;	/* what its host said; borrowed until the next call */
};

/* An address in lower case is its key: most hosts do not care, and the caches of Postfix are kept so. */

/* memory.c: what was learnt, and when it is too old. */

/* Gives the directory that the cache's file lies in; NULL: it is in memory. */
const char *memory_open(void);
void	memory_close(void);

/* What is known; VERIFY_TODO if that is nothing, or too old. */
void	memory_recall(const char *key, struct verdict *verdict);

/* Is it time to ask again? */
bool	memory_is_stale(const struct verdict *verdict);

/* What a probe found. A failure does not replace a success that still counts. */
void	memory_learn(const char *key, enum verify_status status,
	    const char *text);

/* probe.c: messages that are never delivered. */

/* Find out, unless that is being done already. */
void	probe_send(const char *key, const char *address);

/* There is a result. */
void	probe_done(const char *key);

#endif
