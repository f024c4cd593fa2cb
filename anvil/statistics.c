/* The highest numbers of the last minutes, in Postfix's words. */

#include "anvil/anvil.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "config/config.h"

static const struct {
	const char	*name;
	bool		 is_rate;
} kinds[PEAK_COUNT] = {
	[PEAK_CONNECTION_RATE]	= { "connection rate", true },
	[PEAK_CONNECTIONS]	= { "connection count", false },
	[PEAK_MESSAGE_RATE]	= { "message rate", true },
	[PEAK_RECIPIENT_RATE]	= { "recipient rate", true },
};

static struct {
	int64_t	 value;
	time_t	 when;
	char	 client[128];
} peaks[PEAK_COUNT];

static size_t most_clients;
static time_t when_most;

void
statistics_note(enum peak peak, int64_t value, const char *client)
{
	if (value <= peaks[peak].value)
		return;
	peaks[peak].value = value;
	peaks[peak].when = time(NULL);
	strlcpy(peaks[peak].client, client, sizeof(peaks[peak].client));
}

void
statistics_note_size(size_t clients)
{
	if (clients <= most_clients)
		return;
	most_clients = clients;
	when_most = time(NULL);
}

/* "Jan  4 14:45:00" */
static const char *
clock_text(time_t when)
{
	static char room[32];
	struct tm parts;

	strftime(room, sizeof(room), "%b %e %H:%M:%S",
	    localtime_r(&when, &parts));
	return room;
}

void
statistics_report(void)
{
	for (enum peak i = 0; i < PEAK_COUNT; i++) {
		char unit[16] = "";

		if (peaks[i].value == 0)
			continue;
		if (kinds[i].is_rate)
			snprintf(unit, sizeof(unit), "/%ds",
			    config.anvil_rate_time_unit);
		log_info("statistics: max %s %" PRId64 "%s for (%s) at %s",
		    kinds[i].name, peaks[i].value, unit, peaks[i].client,
		    clock_text(peaks[i].when));
		peaks[i].value = 0;
	}
	if (most_clients > 0)
		log_info("statistics: max cache size %zu at %s", most_clients,
		    clock_text(when_most));
	most_clients = 0;
}
