/* The watchdog of systemd, if it wants to hear that we live. */

#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"
#include "master/master.h"
#include "service/supervision.h"

static void
on_watchdog(evutil_socket_t fd, short what, void *context)
{
	supervision_tell("WATCHDOG=1");
}

void
notify_start_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	long long interval = usec == NULL ? 0 : atoll(usec) / 2;

	if (interval <= 0 || (pid != NULL && atol(pid) != (long)getpid()))
		return;

	const struct timeval half = { interval / 1000000, interval % 1000000 };

	event_add(event_new(master_base, -1, EV_PERSIST, on_watchdog, NULL),
	    &half);
}
