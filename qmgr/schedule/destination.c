/*
 * destination - its window, its pace, its dead times
 *
 * A destination of an event-driven agent (smtp) has a window; see window.h. A
 * worker's destination (a mailbox) has none once the worker says that it does
 * its deliveries together: they lie in its socket, and are one at a time.
 * Until then, and where each takes a process of its own (a command), the
 * concurrency limit counts.
 */

#include "qmgr/schedule/schedule.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/values.h"

/* Deliveries that are given up in one turn of the loop. */
#define GIVE_UP_AT_ONCE	50

static TAILQ_HEAD(, destination) giving_up = TAILQ_HEAD_INITIALIZER(giving_up);
static struct event *give_up_soon;
static const struct timeval at_once = { 0, 0 };

struct destination *
destination_find(struct transport *transport, const char *nexthop,
    const char *mailbox)
{
	char *key = mem_printf("%s\n%s", nexthop, mailbox);
	struct destination *destination =
	    map_get(transport->destinations, key);
	struct config_rate rate;

	if (destination != NULL) {
		free(key);
		return destination;
	}
	destination = mem_zalloc(1, sizeof(*destination));
	destination->transport = transport;
	destination->key = key;
	destination->nexthop = mem_strdup(nexthop);
	TAILQ_INIT(&destination->waiting);
	TAILQ_INIT(&destination->parked);
	window_init(&destination->window, &transport->window);
	pace_init(&destination->pace,
	    config_rate(transport->rate, &rate) == 0 ? &rate : NULL);
	map_set(transport->destinations, key, destination);
	return destination;
}

static bool
is_idle(const struct destination *destination)
{
	int64_t now = clock_us();

	return destination->giving_up == NULL &&
	    TAILQ_EMPTY(&destination->waiting) &&
	    LIST_EMPTY(&destination->peers) && destination->underway == 0 &&
	    destination->dead_until_ms * 1000 <= now &&
	    destination->warn_after_ms * 1000 <= now &&
	    destination->pace.next_us <= now &&
	    destination->pace.promised_us <= now;
}

void
destination_forget_if_idle(struct destination **argument)
{
	struct destination *destination = *argument;

	if (!is_idle(destination))
		return;
	map_remove(destination->transport->destinations, destination->key);
	if (destination->in_ring)
		TAILQ_REMOVE(&destination->transport->ring, destination, next);
	if (destination->wake != NULL)
		event_free(destination->wake);
	free(destination->dead_reason);
	free(destination->nexthop);
	free(destination->key);
	free(destination);
	*argument = NULL;
}

void
destinations_sweep(struct transport *transport)
{
	size_t position = 0, count = 0;
	void *destination;
	struct destination **idle = mem_resize(NULL,
	    map_count(transport->destinations) + 1, sizeof(*idle));

	while (map_next(transport->destinations, &position,
	    &destination) != NULL) {
		if (is_idle(destination))
			idle[count++] = destination;
	}
	while (count > 0)
		destination_forget_if_idle(&idle[--count]);
	free(idle);
}

int
destination_room(const struct destination *destination)
{
	const struct transport *transport = destination->transport;
	const struct pace *pace = &destination->pace;

	if (destination->giving_up != NULL)
		return 0;
	if (pace->next_us > 0 && pace_pause(pace, clock_us()) > 0)
		return 0;
	if (transport->rate_delay_us > 0)
		return destination->underway == 0;
	if (destination->is_batched)
		return INT_MAX;
	if (agent_is_worker(transport->agent))
		return transport->window.limit - destination->underway;
	return destination->window.size - destination->underway;
}

static void
on_wake(int fd, short what, void *argument)
{
	struct destination *destination = argument;

	destination_update(destination);
	schedule_soon();
}

static void
wake_after_pause(struct destination *destination)
{
	int64_t pause = pace_pause(&destination->pace, clock_us());

	if (pause == 0)
		return;
	if (destination->wake == NULL)
		destination->wake = event_new(service_base, -1, 0, on_wake,
		    destination);
	event_add(destination->wake, &(struct timeval){
	    pause / 1000000, pause % 1000000 });
}

void
destination_update(struct destination *destination)
{
	struct transport *transport = destination->transport;
	int room = destination_room(destination);
	bool belongs = !TAILQ_EMPTY(&destination->waiting) && room > 0;
	struct peer *peer;

	if (belongs && !destination->in_ring)
		TAILQ_INSERT_TAIL(&transport->ring, destination, next);
	else if (!belongs && destination->in_ring)
		TAILQ_REMOVE(&transport->ring, destination, next);
	destination->in_ring = belongs;
	while (destination->ready < room &&
	    (peer = TAILQ_FIRST(&destination->parked)) != NULL)
		peer_ready(peer);
	if (room <= 0 && (!TAILQ_EMPTY(&destination->waiting) ||
	    !TAILQ_EMPTY(&destination->parked)))
		wake_after_pause(destination);
}

/* A message or a part of one. False if there is none left. */
static bool
give_up_one(struct destination *destination)
{
	struct entry *entry = TAILQ_FIRST(&destination->waiting);
	struct peer *peer = LIST_FIRST(&destination->peers);
	struct message *message;

	if (entry != NULL) {
		message = entry->message;
		entry_unqueue(entry);
		entry_defer(message, entry->recipients, entry->count,
		    destination->giving_up_dsn, destination->giving_up);
		entry_free(&entry);
	} else if (peer != NULL) {
		message = peer->job->message;
		peer_defer(peer, destination->giving_up_dsn,
		    destination->giving_up);
	} else {
		return false;
	}
	message_check_finished(message);
	return true;
}

/* A part of what is to be given up; the loop has others to serve. */
static void
on_give_up(int fd, short what, void *argument)
{
	struct destination *destination = TAILQ_FIRST(&giving_up);
	int count = 0;

	while (count < GIVE_UP_AT_ONCE && give_up_one(destination))
		count++;
	if (count == GIVE_UP_AT_ONCE) {
		event_add(give_up_soon, &at_once);
		return;
	}
	TAILQ_REMOVE(&giving_up, destination, given_up);
	free(destination->giving_up);
	destination->giving_up = NULL;
	destination_update(destination);
	destination_forget_if_idle(&destination);
	if (!TAILQ_EMPTY(&giving_up))
		event_add(give_up_soon, &at_once);
}

void
destination_give_up(struct destination *destination, const char *dsn,
    const char *reason)
{
	if (destination->giving_up != NULL ||
	    (TAILQ_EMPTY(&destination->waiting) &&
	    LIST_EMPTY(&destination->peers)))
		return;
	if (give_up_soon == NULL)
		give_up_soon = event_new(service_base, -1, 0, on_give_up, NULL);
	destination->giving_up = mem_strdup(reason);
	destination->giving_up_dsn = dsn;
	TAILQ_INSERT_TAIL(&giving_up, destination, given_up);
	event_add(give_up_soon, &at_once);
	destination_update(destination);
}

static void
die(struct destination *destination, const char *reason)
{
	char *text = mem_printf("delivery temporarily suspended: %s", reason);

	free(destination->dead_reason);
	destination->dead_reason = mem_strdup(reason);
	destination->dead_until_ms = clock_ms() +
	    1000LL * config.minimal_backoff_time;
	window_init(&destination->window, &destination->transport->window);
	destination_give_up(destination, "4.4.1", text);
	free(text);
}

static void
show_window(const struct destination *destination, const char *what)
{
	const struct window *window = &destination->window;

	if (config.destination_concurrency_feedback_debug)
		log_info("%s/%s: %s: window %d of %d, %d under way, gained %.2f, "
		    "left %.2f, failed cohorts %.2f",
		    destination->transport->name, destination->nexthop, what,
		    window->size, destination->transport->window.limit,
		    destination->underway, window->gained, window->left,
		    window->failed_cohorts);
}

void
destination_learn(struct destination *destination,
    const struct delivery_report *report)
{
	const struct window_rules *rules = &destination->transport->window;

	if (agent_is_worker(destination->transport->agent)) {
		destination->is_batched = !report->alone;
	} else if (report->results == NULL || !report->unreachable) {
		destination->dead_until_ms = 0;
		window_succeeded(&destination->window, rules,
		    destination->underway);
		show_window(destination, "delivered");
	} else {
		bool is_dead = window_failed(&destination->window, rules);

		show_window(destination, is_dead ? "dead" : "failed");
		if (is_dead)
			die(destination, report->results[0].text);
	}
}
