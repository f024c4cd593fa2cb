#include "service/upkeep.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "base/base.h"
#include "service/service.h"

#define SYNC_SECONDS	60

/* Entries that are looked at between two questions. */
#define SWEEP_AT_ONCE	200

#define LAST_SWEEP	"_LAST_CACHE_CLEANUP_COMPLETED_"

struct upkeep {
	const char		*name;
	struct table_cache	*cache;
	upkeep_keeps		*keeps;
	int64_t			 interval;
	struct event		*sync_timer, *sweep_timer;
	size_t			 kept, dropped;		/* of this sweep */
};

static void
on_sync(int fd, short what, void *context)
{
	struct upkeep *upkeep = context;

	table_cache_sync(upkeep->cache);
}

static bool
is_kept(const char *key, const char *value, void *context)
{
	struct upkeep *upkeep = context;
	bool keep = strcmp(key, LAST_SWEEP) == 0 || upkeep->keeps(key, value);

	*(keep ? &upkeep->kept : &upkeep->dropped) += 1;
	return keep;
}

/* The next sweep, an interval after the last one, even if this process was not there then. */
static void
plan_sweep(struct upkeep *upkeep)
{
	int64_t now = time(NULL), due = now;
	const char *last;

	if (upkeep->interval == 0)
		return;
	if (table_cache_get(upkeep->cache, LAST_SWEEP, &last) == TABLE_FOUND)
		due = strtoll(last, NULL, 10) + upkeep->interval;
	if (due < now)
		due = now;
	if (due > now + upkeep->interval)	/* the clock was set back */
		due = now + upkeep->interval;

	const struct timeval pause = { due - now, 0 };

	upkeep->kept = upkeep->dropped = 0;
	event_add(upkeep->sweep_timer, &pause);
}

static void
on_sweep(int fd, short what, void *context)
{
	static const struct timeval at_once = { 0, 0 };
	struct upkeep *upkeep = context;
	char now[24];

	if (table_cache_sweep(upkeep->cache, SWEEP_AT_ONCE, is_kept, upkeep)) {
		event_add(upkeep->sweep_timer, &at_once);
		return;
	}
	log_info("cache %s full cleanup: retained=%zu dropped=%zu entries",
	    upkeep->name, upkeep->kept, upkeep->dropped);
	snprintf(now, sizeof(now), "%lld", (long long)time(NULL));
	table_cache_put(upkeep->cache, LAST_SWEEP, now);
	table_cache_sync(upkeep->cache);
	plan_sweep(upkeep);
}

/* Of type:/path/name, /path. */
static const char *
directory_of(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash == NULL ? NULL : dirname(mem_strdup(slash));
}

struct upkeep *
upkeep_start(const char *name, int interval_s, upkeep_keeps *keeps,
    const char **directory)
{
	struct upkeep *upkeep = mem_zalloc(1, sizeof(*upkeep));

	upkeep->name = name;
	upkeep->keeps = keeps;
	upkeep->interval = interval_s;
	upkeep->cache = table_cache_open(name);
	upkeep->sync_timer = event_new(service_base, -1, 0, on_sync, upkeep);
	upkeep->sweep_timer = event_new(service_base, -1, 0, on_sweep, upkeep);
	if (upkeep->sync_timer == NULL || upkeep->sweep_timer == NULL)
		fatal("cannot make a timer: %m");
	plan_sweep(upkeep);
	*directory = directory_of(name);
	return upkeep;
}

void
upkeep_stop(struct upkeep **upkeep)
{
	if (*upkeep == NULL)
		return;
	event_free((*upkeep)->sync_timer);
	event_free((*upkeep)->sweep_timer);
	table_cache_close(&(*upkeep)->cache);
	free(*upkeep);
	*upkeep = NULL;
}

enum table_answer
upkeep_get(struct upkeep *upkeep, const char *key, const char **value)
{
	return table_cache_get(upkeep->cache, key, value);
}

void
upkeep_put(struct upkeep *upkeep, const char *key, const char *value)
{
	static const struct timeval soon = { SYNC_SECONDS, 0 };

	table_cache_put(upkeep->cache, key, value);
	if (!event_pending(upkeep->sync_timer, EV_TIMEOUT, NULL))
		event_add(upkeep->sync_timer, &soon);
}
