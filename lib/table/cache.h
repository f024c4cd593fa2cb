/*
 * cache - what one daemon learns and keeps: a hash or btree that changes in place
 *
 *   1  What was put is found again, at the latest until the next stop: a
 *      stop may lose what came since the last sync.
 *   2  A file that a stop has broken is moved away, and a new one begun.
 *
 * In Postfix's form, so that its caches are taken over.
 */

#ifndef TABLE_CACHE_H
#define TABLE_CACHE_H

#include <stdbool.h>

#include "table/table.h"

struct table_cache;

/*
 * Open "btree:/var/lib/postroad/verify_cache". Never NULL: an empty name, or
 * a file that cannot be used (logged), gives one in memory. Keeps name.
 * Released with table_cache_close(), which syncs.
 */
struct table_cache *table_cache_open(const char *name);
void	 table_cache_close(struct table_cache **cache);

/* *value is borrowed until the next call. */
enum table_answer table_cache_get(struct table_cache *cache, const char *key,
	    const char **value);

void	 table_cache_put(struct table_cache *cache, const char *key,
	    const char *value);

/* What was put survives a stop from now on. */
void	 table_cache_sync(struct table_cache *cache);

/*
 * Go on through the cache, some entries at a time, and remove those that
 * keep() does not want. False at the end; the next call begins anew.
 */
bool	 table_cache_sweep(struct table_cache *cache, int at_most,
	    bool (*keep)(const char *key, const char *value, void *context),
	    void *context);

#endif
