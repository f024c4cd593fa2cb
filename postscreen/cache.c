/*
 * What is kept of each client, and for how long.
 *
 * A row stays for postscreen_cache_retention_time after its last test has
 * expired, so that somebody who passes again is known for an old one.
 */

#include "postscreen/postscreen.h"

#include <string.h>
#include <time.h>

#include "config/config.h"
#include "screen/screen.h"
#include "service/upkeep.h"

/* The longest text of an address is shorter. */
#define CLIENT_MAX	100

static struct upkeep *cache;

const char *
cache_recall(const char *client)
{
	struct screen_passes unused;
	const char *row;

	if (upkeep_get(cache, client, &row) == TABLE_FOUND &&
	    screen_passes_parse(row, &unused) == 0)
		return row;
	return "";
}

int
cache_learn(const char *client, const char *row)
{
	struct screen_passes passes, before;
	char joined[SCREEN_ROW_SIZE];

	if (screen_passes_parse(row, &passes) == -1 || *client == '\0' ||
	    strlen(client) > CLIENT_MAX)
		return -1;
	/* Two processes may have tested it at once, each in part. */
	if (screen_passes_parse(cache_recall(client), &before) == 0)
		screen_passes_join(&passes, &before);
	screen_passes_print(&passes, joined);
	upkeep_put(cache, client, joined);
	return 0;
}

static bool
is_kept(const char *client, const char *row)
{
	struct screen_passes passes;

	return screen_passes_parse(row, &passes) == 0 &&
	    screen_passes_end(&passes) +
	    config.postscreen_cache_retention_time > (int64_t)time(NULL);
}

const char *
cache_open(void)
{
	const char *directory;

	cache = upkeep_start(config.postscreen_cache_map,
	    config.postscreen_cache_cleanup_interval, is_kept, &directory);
	return directory;
}

void
cache_close(void)
{
	upkeep_stop(&cache);
}
