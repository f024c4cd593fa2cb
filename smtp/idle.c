/*
 * idle - connections that wait for the next message to the same nexthop
 *
 * A connection that carried one message waits a moment, since the next one
 * may be on its way from qmgr; one that carried several waits for
 * smtp_connection_cache_time_limit. A destination lives while it has jobs
 * or idle sessions.
 */

#include "client.h"

#include <stdlib.h>

#include "config/config.h"
#include "service/service.h"
#include "table/match.h"

/* A connection that nobody used twice waits this long: qmgr answers a report within it. */
#define MOMENT_MS	100

static struct map *destinations;
static struct match_list *always_kept;

void
destinations_start(void)
{
	destinations = map_new();
	always_kept = match_list_open("smtp_connection_cache_destinations",
	    config.smtp_connection_cache_destinations);
}

struct destination *
destination_join(const char *nexthop)
{
	struct destination *destination;

	destination = map_get(destinations, nexthop);
	if (destination == NULL) {
		destination = mem_zalloc(1, sizeof(*destination));
		destination->key = mem_strdup(nexthop);
		destination->is_always_kept = match_domain(always_kept,
		    nexthop) == TABLE_FOUND;
		LIST_INIT(&destination->idle);
		map_set(destinations, nexthop, destination);
	}
	destination->jobs++;
	return destination;
}

static void
free_if_unused(struct destination *destination)
{
	if (destination->jobs > 0 || !LIST_EMPTY(&destination->idle))
		return;
	map_remove(destinations, destination->key);
	free(destination->key);
	free(destination);
}

void
destination_leave(struct destination **destination)
{
	(*destination)->jobs--;
	free_if_unused(*destination);
	*destination = NULL;
}

void
destination_drop(struct session *session)
{
	struct destination *destination = session->destination;

	if (destination == NULL)
		return;
	LIST_REMOVE(session, idle);
	session->destination = NULL;
	free_if_unused(destination);
}

struct session *
destination_take(struct destination *destination)
{
	struct session *session = LIST_FIRST(&destination->idle);

	if (session != NULL) {
		LIST_REMOVE(session, idle);
		session->destination = NULL;
	}
	return session;
}

bool
destination_wants(const struct destination *destination,
    const struct session *session)
{
	int uses = config.smtp_connection_reuse_count_limit;

	return (config.smtp_connection_cache_on_demand ||
	    destination->is_always_kept) &&
	    session->is_first_site && session->is_best &&
	    !session->closing && !session->deaf && !service_is_leaving() &&
	    (uses == 0 || session->uses < (unsigned)uses) &&
	    clock_ms() - session->opened_ms <
	    config.smtp_connection_reuse_time_limit * INT64_C(1000);
}

void
destination_keep(struct destination *destination, struct session *session)
{
	bool busy = session->uses > 1 || destination->jobs > 1 ||
	    destination->is_always_kept;
	struct timeval wait = { config.smtp_connection_cache_time_limit, 0 };

	if (!busy && wait.tv_sec > 0)
		wait = (struct timeval){ 0, MOMENT_MS * 1000 };
	session->destination = destination;
	LIST_INSERT_HEAD(&destination->idle, session, idle);
	session_enter(session, STAGE_IDLE);
	event_add(&session->deadline, &wait);
}

void
destinations_close_idle(bool only_one)
{
	size_t position = 0;
	void *value;

	while (map_next(destinations, &position, &value) != NULL) {
		struct destination *destination = value;
		struct session *session = LIST_FIRST(&destination->idle);

		if (session == NULL)
			continue;
		destination_drop(session);
		session_quit(session);
		if (only_one)
			return;
		position = 0;	/* the map has changed */
	}
}
