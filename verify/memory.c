/*
 * memory - what was learnt of addresses, and when it is too old
 *
 * An entry is "status:probed:updated:text", as Postfix has it, so that its
 * cache is taken over. What is being found out is not written (probe.c knows).
 */

#include "verify/verify.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "config/config.h"
#include "service/service.h"
#include "table/cache.h"

/* Learnt again if lost: so it is written now and then. */
#define SYNC_SECONDS	60

/* Entries that are looked at between two questions. */
#define SWEEP_AT_ONCE	200

#define LAST_SWEEP	"_LAST_CACHE_CLEANUP_COMPLETED_"

static struct table_cache *cache;
static struct event *sync_timer, *sweep_timer;
static size_t kept, dropped;

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

	if (table_cache_get(cache, key, &entry) == TABLE_FOUND &&
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
	const struct timeval soon = { SYNC_SECONDS, 0 };
	struct verdict before;
	char *entry;

	memory_recall(key, &before);
	if (status != VERIFY_OK && (before.status == VERIFY_OK ||
	    !config.address_verify_negative_cache))
		return;
	entry = mem_printf("%d:0:%lld:%.1000s", (int)status,
	    (long long)time(NULL), text);
	table_cache_put(cache, key, entry);
	free(entry);
	if (!event_pending(sync_timer, EV_TIMEOUT, NULL))
		event_add(sync_timer, &soon);
}

static void
on_sync(int fd, short what, void *context)
{
	table_cache_sync(cache);
}

static bool
is_kept(const char *key, const char *entry, void *context)
{
	struct verdict verdict;
	bool keep = strcmp(key, LAST_SWEEP) == 0 ||
	    (parse(entry, &verdict) == 0 &&
	    !is_expired(verdict.status, verdict.updated));

	*(keep ? &kept : &dropped) += 1;
	return keep;
}

/* The next sweep, an interval after the last one, even if this process was not there then. */
static void
plan_sweep(void)
{
	struct timeval pause = { 0, 0 };
	const char *last;
	int64_t due = 0;

	if (config.address_verify_cache_cleanup_interval == 0)
		return;
	if (table_cache_get(cache, LAST_SWEEP, &last) == TABLE_FOUND)
		due = strtoll(last, NULL, 10) +
		    config.address_verify_cache_cleanup_interval;
	if (due > (int64_t)time(NULL))
		pause.tv_sec = due - (int64_t)time(NULL);
	if (pause.tv_sec > config.address_verify_cache_cleanup_interval)
		pause.tv_sec = config.address_verify_cache_cleanup_interval;
	kept = dropped = 0;
	event_add(sweep_timer, &pause);
}

static void
on_sweep(int fd, short what, void *context)
{
	const struct timeval at_once = { 0, 0 };
	char now[24];

	if (table_cache_sweep(cache, SWEEP_AT_ONCE, is_kept, NULL)) {
		event_add(sweep_timer, &at_once);
		return;
	}
	log_info("cache %s full cleanup: retained=%zu dropped=%zu entries",
	    config.address_verify_map, kept, dropped);
	snprintf(now, sizeof(now), "%lld", (long long)time(NULL));
	table_cache_put(cache, LAST_SWEEP, now);
	table_cache_sync(cache);
	plan_sweep();
}

/* Of type:/path/name, /path. */
static const char *
directory_of(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash == NULL ? NULL : dirname(mem_strdup(slash));
}

const char *
memory_open(void)
{
	cache = table_cache_open(config.address_verify_map);
	sync_timer = event_new(service_base, -1, 0, on_sync, NULL);
	sweep_timer = event_new(service_base, -1, 0, on_sweep, NULL);
	plan_sweep();
	return directory_of(config.address_verify_map);
}

void
memory_close(void)
{
	table_cache_close(&cache);
}
