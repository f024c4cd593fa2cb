/*
 * What is kept of each client, and for how long.
 *
 * A row stays for postscreen_cache_retention_time after its last test has
 * expired, so that somebody who passes again is known for an old one.
 */

#include "postscreen/postscreen.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "config/config.h"
#include "screen/screen.h"
#include "service/service.h"
#include "table/cache.h"

/* A test is repeated for what a stop loses: so it is written now and then. */
#define SYNC_SECONDS	60

/* Rows that are looked at between two questions. */
#define SWEEP_AT_ONCE	200

/* The longest text of an address is shorter. */
#define CLIENT_MAX	100

#define LAST_SWEEP	"_LAST_CACHE_CLEANUP_COMPLETED_"

static struct table_cache *cache;
static struct event *sync_timer, *sweep_timer;
static size_t kept, dropped;

const char *
cache_recall(const char *client)
{
	struct screen_passes unused;
	const char *row;

	if (table_cache_get(cache, client, &row) == TABLE_FOUND &&
	    screen_passes_parse(row, &unused) == 0)
		return row;
	return "";
}

int
cache_learn(const char *client, const char *row)
{
	const struct timeval soon = { SYNC_SECONDS, 0 };
	struct screen_passes passes, before;
	char joined[SCREEN_ROW_SIZE];

	if (screen_passes_parse(row, &passes) == -1 || *client == '\0' ||
	    strlen(client) > CLIENT_MAX)
		return -1;
	/* Two processes may have tested it at once, each in part. */
	if (screen_passes_parse(cache_recall(client), &before) == 0)
		screen_passes_join(&passes, &before);
	screen_passes_print(&passes, joined);
	table_cache_put(cache, client, joined);
	if (!event_pending(sync_timer, EV_TIMEOUT, NULL))
		event_add(sync_timer, &soon);
	return 0;
}

static void
on_sync(int fd, short what, void *context)
{
	table_cache_sync(cache);
}

static bool
is_kept(const char *key, const char *row, void *context)
{
	struct screen_passes passes;
	bool keep = strcmp(key, LAST_SWEEP) == 0 ||
	    (screen_passes_parse(row, &passes) == 0 &&
	    screen_passes_end(&passes) +
	    config.postscreen_cache_retention_time > (int64_t)time(NULL));

	*(keep ? &kept : &dropped) += 1;
	return keep;
}

/* The next sweep, an interval after the last one, even if this process was not there then. */
static void
plan_sweep(void)
{
	int64_t interval = config.postscreen_cache_cleanup_interval;
	int64_t now = time(NULL), due = now;
	const char *last;

	if (interval == 0)
		return;
	if (table_cache_get(cache, LAST_SWEEP, &last) == TABLE_FOUND)
		due = strtoll(last, NULL, 10) + interval;
	if (due < now)
		due = now;
	if (due > now + interval)	/* the clock was set back */
		due = now + interval;

	const struct timeval pause = { due - now, 0 };

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
	    config.postscreen_cache_map, kept, dropped);
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
cache_open(void)
{
	cache = table_cache_open(config.postscreen_cache_map);
	sync_timer = event_new(service_base, -1, 0, on_sync, NULL);
	sweep_timer = event_new(service_base, -1, 0, on_sweep, NULL);
	plan_sweep();
	return directory_of(config.postscreen_cache_map);
}

void
cache_close(void)
{
	table_cache_close(&cache);
}
