/*
 * memory - what was learnt of addresses, and when it is too old
 *
 * An entry is "status:probed:updated:text", as Postfix has it, so that its
 * cache is taken over. What is being found out is not written (probe.c knows).
 */

#include "verify/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/base.h"
#include "config/config.h"
#include "service/upkeep.h"

static struct upkeep *cache;

static bool
is_expired(enum verify_status status, int64_t updated)
{
	return (int64_t)time(NULL) - updated > (status == VERIFY_OK ?
	    config.address_verify_positive_expire_time :
	    config.address_verify_negative_expire_time);
}

/* 0, or -1: that is no entry. */
static int
parse(const char *entry, struct verdict *verdict)
{
	long long updated, probed;
	int status, text = 0;

	if (sscanf(entry, "%d:%lld:%lld:%n", &status, &probed, &updated,
	    &text) != 3 || text == 0 || status < VERIFY_OK ||
	    status > VERIFY_BOUNCE)
		return -1;
	verdict->status = (enum verify_status)status;
	verdict->updated = updated;
	verdict->text = entry + text;
	return 0;
}

void
memory_recall(const char *key, struct verdict *verdict)
{
	const char *entry;

	if (upkeep_get(cache, key, &entry) == TABLE_FOUND &&
	    parse(entry, verdict) == 0 &&
	    !is_expired(verdict->status, verdict->updated))
		return;
	*verdict = (struct verdict){ VERIFY_TODO, 0,
	    "Address verification in progress" };
}

bool
memory_is_stale(const struct verdict *verdict)
{
	return (int64_t)time(NULL) > verdict->updated +
	    (verdict->status == VERIFY_OK ?
	    config.address_verify_positive_refresh_time :
	    config.address_verify_negative_refresh_time);
}

void
memory_learn(const char *key, enum verify_status status, const char *text)
{
	struct verdict before;
	char *entry;

	memory_recall(key, &before);
	if (status != VERIFY_OK && (before.status == VERIFY_OK ||
	    !config.address_verify_negative_cache))
		return;
	entry = mem_printf("%d:0:%lld:%.1000s", (int)status,
	    (long long)time(NULL), text);
	upkeep_put(cache, key, entry);
	free(entry);
}

static bool
is_kept(const char *key, const char *entry)
{
	struct verdict verdict;

	return parse(entry, &verdict) == 0 &&
	    !is_expired(verdict.status, verdict.updated);
}

const char *
memory_open(void)
{
	const char *directory;

	cache = upkeep_start(config.address_verify_map,
	    config.address_verify_cache_cleanup_interval, is_kept, &directory);
	return directory;
}

void
memory_close(void)
{
	upkeep_stop(&cache);
}
