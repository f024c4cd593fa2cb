/*
 * upkeep - the cache of an event-driven daemon is written and swept in time
 *
 * A stop may lose what was learnt within the last minute. Sweeps go on over
 * restarts: when the last one ended is an entry of the cache, in Postfix's
 * form.
 */

#ifndef SERVICE_UPKEEP_H
#define SERVICE_UPKEEP_H

#include <stdbool.h>

#include "table/cache.h"

struct upkeep;

/* Is the entry worth keeping? */
typedef bool upkeep_keeps(const char *key, const char *value);

/*
 * Open the cache of this name ("btree:/var/lib/postroad/x") on service_base,
 * with a sweep every interval_s seconds (0: never). *directory is where it
 * lies, for the sandbox; NULL if it is in memory. Keeps name. Released with
 * upkeep_stop(), which writes.
 */
struct upkeep *upkeep_start(const char *name, int interval_s,
	    upkeep_keeps *keeps, const char **directory);
void	upkeep_stop(struct upkeep **upkeep);

/* As table_cache_get(). */
enum table_answer upkeep_get(struct upkeep *upkeep, const char *key,
	    const char **value);

/* As table_cache_put(), and written within a minute. */
void	upkeep_put(struct upkeep *upkeep, const char *key, const char *value);

#endif
