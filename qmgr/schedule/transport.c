/* transport - its parameters, its destinations, its trouble */

#include "qmgr/schedule/schedule.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* How often it is looked whether agents work, and whether the queue is full. */
#define LOOK_SECONDS	1

/* Every so many looks, destinations whose pauses are over are forgotten. */
#define SWEEP_LOOKS	60

static struct map *transports;
static TAILQ_HEAD(, transport) all_transports =
    TAILQ_HEAD_INITIALIZER(all_transports);
static struct event *look_timer;

struct transport *
transport_next(const struct transport *transport)
{
	return transport == NULL ? TAILQ_FIRST(&all_transports) :
	    TAILQ_NEXT(transport, next);
}

/* Its agent is of no use: all that waits is deferred, and what comes within transport_retry_time. */
static void
die(struct transport *transport)
{
	size_t position = 0;
	void *destination;

	log_warning("transport %s: its agent is of no use; its mail is deferred, "
	    "and it is tried again in %d s", transport->name,
	    config.transport_retry_time);
	transport->dead_until_ms = clock_ms() +
	    1000LL * config.transport_retry_time;
	while (map_next(transport->destinations, &position,
	    &destination) != NULL)
		destination_give_up(destination, "4.3.0",
		    "mail transport unavailable");
}

static void
on_look(int fd, short what, void *argument)
{
	const struct timeval again = { LOOK_SECONDS, 0 };
	static int looks;
	struct transport *transport;

	looks++;
	TAILQ_FOREACH(transport, &all_transports, next) {
		if (transport->agent != NULL && transport->pace.waiting > 0 &&
		    agent_is_useless(transport->agent))
			die(transport);
		if (looks % SWEEP_LOOKS == 0)
			destinations_sweep(transport);
	}
	turn_look();
	event_add(look_timer, &again);
}

static void
on_wake(int fd, short what, void *argument)
{
	schedule_run();
}

static int
limit_of(const char *name, const char *suffix, int fallback)
{
	int limit = config_transport_int(name, suffix, fallback);

	return limit > 0 ? limit : INT_MAX;
}

static void
read_window(struct transport *transport)
{
	const char *name = transport->name;
	struct window_rules *rules = &transport->window;

	rules->limit = limit_of(name, "_destination_concurrency_limit",
	    config.default_destination_concurrency_limit);
	rules->initial = config_transport_int(name,
	    "_initial_destination_concurrency",
	    config.initial_destination_concurrency);
	rules->failed_cohorts = config_transport_int(name,
	    "_destination_concurrency_failed_cohort_limit",
	    config.default_destination_concurrency_failed_cohort_limit);
	config_feedback(config_transport_text(name,
	    "_destination_concurrency_positive_feedback",
	    config.default_destination_concurrency_positive_feedback),
	    &rules->positive);
	config_feedback(config_transport_text(name,
	    "_destination_concurrency_negative_feedback",
	    config.default_destination_concurrency_negative_feedback),
	    &rules->negative);
}

static void
read_pace(struct transport *transport)
{
	const char *name = transport->name;
	struct config_rate rate;

	transport->rate_delay_us = 1000000LL * config_transport_time(name,
	    "_destination_rate_delay", config.default_destination_rate_delay);
	transport->transport_delay_us = 1000000LL * config_transport_time(name,
	    "_transport_rate_delay", config.default_transport_rate_delay);
	transport->rate = config_transport_text(name,
	    "_destination_rate_limit", config.default_destination_rate_limit);
	transport->recipient_limit = limit_of(name,
	    "_destination_recipient_limit",
	    config.default_destination_recipient_limit);
	transport->entry_limit = transport->recipient_limit;
	transport->portion = SIZE_MAX;
	if (config_rate(transport->rate, &rate) == 0) {
		/* A delivery that is larger than the rate would be a burst. */
		if (rate.count < transport->entry_limit)
			transport->entry_limit = rate.count;
		transport->portion = (size_t)rate.count *
		    (size_t)config.minimal_backoff_time /
		    (size_t)rate.seconds + 1;
	}
	pace_init(&transport->pace, NULL);
}

static void
read_large_messages(struct transport *transport)
{
	const char *name = transport->name;

	transport->slots = (struct slots){
		.cost = config_transport_int(name, "_delivery_slot_cost",
		    config.default_delivery_slot_cost),
		.loan = config_transport_int(name, "_delivery_slot_loan",
		    config.default_delivery_slot_loan),
		.discount = config_transport_int(name,
		    "_delivery_slot_discount",
		    config.default_delivery_slot_discount),
		.minimum = config_transport_int(name,
		    "_minimum_delivery_slots",
		    config.default_minimum_delivery_slots),
	};
	transport->peer_limit = config_transport_int(name, "_recipient_limit",
	    config.default_recipient_limit);
	transport->peer_extra = config_transport_int(name,
	    "_extra_recipient_limit", config.default_extra_recipient_limit);
	transport->refill_limit = config_transport_int(name,
	    "_recipient_refill_limit", config.default_recipient_refill_limit);
	transport->refill_delay = config_transport_time(name,
	    "_recipient_refill_delay", config.default_recipient_refill_delay);
}

static struct transport *
transport_new(const char *name)
{
	struct transport *transport = mem_zalloc(1, sizeof(*transport));

	transport->name = mem_strdup(name);
	transport->agent = agent_find(name);
	transport->destinations = map_new();
	TAILQ_INIT(&transport->ring);
	TAILQ_INIT(&transport->jobs);
	transport->wake = event_new(service_base, -1, 0, on_wake, NULL);
	read_window(transport);
	read_pace(transport);
	read_large_messages(transport);
	TAILQ_INSERT_TAIL(&all_transports, transport, next);
	return transport;
}

struct transport *
transport_find(const char *name)
{
	if (transports == NULL) {
		transports = map_new();
		look_timer = event_new(service_base, -1, 0, on_look, NULL);
		on_look(-1, 0, NULL);
	}

	struct transport *transport = map_get(transports, name);

	if (transport == NULL) {
		transport = transport_new(name);
		map_set(transports, name, transport);
	}
	return transport;
}

int
transport_room(struct transport *transport)
{
	if (transport->transport_delay_us == 0)
		return agent_limit(transport->agent) - transport->underway;

	int64_t pause = pace_pause(&transport->pace, clock_us());

	if (pause > 0)
		event_add(transport->wake, &(struct timeval){
		    pause / 1000000, pause % 1000000 });
	return pause > 0 || transport->underway > 0 ? 0 : 1;
}

const char *
transport_trouble(const struct transport *transport,
    const struct message *message, const char **dsn)
{
	if (!message->by_hand &&
	    list_has_word(config.defer_transports, transport->name)) {
		*dsn = "4.3.2";
		return "deferred transport";
	}
	*dsn = "4.3.0";
	return transport->agent == NULL ||
	    transport->dead_until_ms > clock_ms() ?
	    "mail transport unavailable" : NULL;
}

void
schedule_forgive(void)
{
	struct transport *transport = NULL;

	while ((transport = transport_next(transport)) != NULL) {
		size_t position = 0;
		void *any;

		transport->dead_until_ms = 0;
		while (map_next(transport->destinations, &position,
		    &any) != NULL)
			((struct destination *)any)->dead_until_ms = 0;
	}
}
