/*
 * schedule - which recipients go next
 *
 * A transport has destinations, a destination has entries: recipients of one
 * message that travel together. Destinations with something to do stand in a
 * ring, and each turn of the ring takes one entry of one destination, so that
 * no destination waits for another's queue. Within a destination entries of
 * different messages take turns as they came.
 *
 * A destination of an event-driven agent (smtp) has a window: how many
 * deliveries may be under way. It begins at initial_destination_concurrency,
 * grows with every delivery up to <transport>_destination_concurrency_limit,
 * shrinks when the host cannot be reached, and at nothing the destination is
 * left alone for minimal_backoff_time. A worker's destination (a mailbox) has
 * no window: its deliveries go to one worker, one after the other.
 */

#include "qmgr/qmgr.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "config/config.h"

TAILQ_HEAD(entries, entry);

struct transport {
	char			*name;
	struct agent		*agent;		/* NULL: master.cf has no such service */
	struct map		*destinations;
	TAILQ_HEAD(, destination) ring;		/* with entries that wait, and room in the window */
	TAILQ_ENTRY(transport)	 next;
	int			 underway;	/* entries that agents have */
	int			 recipient_limit;
	int			 window_limit;
	int			 window_start;
};

struct destination {
	struct transport	*transport;
	char			*key;		/* nexthop, or nexthop and mailbox */
	char			*nexthop;
	struct entries		 waiting;
	TAILQ_ENTRY(destination) next;
	bool			 in_ring;
	int			 underway;
	int			 window;
	int64_t			 dead_until_ms;
	char			*dead_reason;	/* why, and the status code in front: "4.4.1 text" */
};

static struct map *transports;
static TAILQ_HEAD(, transport) all_transports =
    TAILQ_HEAD_INITIALIZER(all_transports);
static struct event *run_soon;

static struct transport *
find_transport(const char *name)
{
	if (transports == NULL)
		transports = map_new();

	struct transport *transport = map_get(transports, name);

	if (transport != NULL)
		return transport;
	transport = mem_zalloc(1, sizeof(*transport));
	transport->name = mem_strdup(name);
	transport->agent = agent_find(name);
	transport->destinations = map_new();
	TAILQ_INIT(&transport->ring);
	transport->recipient_limit = config_transport_int(name,
	    "_destination_recipient_limit",
	    config.default_destination_recipient_limit);
	transport->window_limit = config_transport_int(name,
	    "_destination_concurrency_limit",
	    config.default_destination_concurrency_limit);
	transport->window_start = config_transport_int(name,
	    "_initial_destination_concurrency",
	    config.initial_destination_concurrency);
	if (transport->window_limit <= 0)
		transport->window_limit = INT_MAX;
	if (transport->recipient_limit <= 0)
		transport->recipient_limit = INT_MAX;
	if (transport->window_start > transport->window_limit)
		transport->window_start = transport->window_limit;
	map_set(transports, name, transport);
	TAILQ_INSERT_TAIL(&all_transports, transport, next);
	return transport;
}

static struct destination *
find_destination(struct transport *transport, const char *nexthop,
    const char *mailbox)
{
	char *key = mem_printf("%s\n%s", nexthop, mailbox);
	struct destination *destination =
	    map_get(transport->destinations, key);

	if (destination != NULL) {
		free(key);
		return destination;
	}
	destination = mem_zalloc(1, sizeof(*destination));
	destination->transport = transport;
	destination->key = key;
	destination->nexthop = mem_strdup(nexthop);
	destination->window = transport->window_start;
	TAILQ_INIT(&destination->waiting);
	map_set(transport->destinations, key, destination);
	return destination;
}

/* Nothing waits, nothing is under way, nothing is remembered: forget it. */
static void
forget_if_idle(struct destination *destination)
{
	if (!TAILQ_EMPTY(&destination->waiting) || destination->underway > 0 ||
	    destination->dead_until_ms > clock_ms())
		return;
	map_remove(destination->transport->destinations, destination->key);
	if (destination->in_ring)
		TAILQ_REMOVE(&destination->transport->ring, destination, next);
	free(destination->dead_reason);
	free(destination->nexthop);
	free(destination->key);
	free(destination);
}

static bool
has_room(const struct destination *destination)
{
	return agent_is_worker(destination->transport->agent) ||
	    destination->underway < destination->window;
}

static void
update_ring(struct destination *destination)
{
	bool belongs = !TAILQ_EMPTY(&destination->waiting) &&
	    has_room(destination);
	struct transport *transport = destination->transport;

	if (belongs && !destination->in_ring)
		TAILQ_INSERT_TAIL(&transport->ring, destination, next);
	else if (!belongs && destination->in_ring)
		TAILQ_REMOVE(&transport->ring, destination, next);
	destination->in_ring = belongs;
}

static void
entry_free(struct entry **entry)
{
	free((*entry)->recipients);
	free(*entry);
	*entry = NULL;
}

/* Results of our own making for all recipients of an entry: each is deferred, with a line in the log. */
static void
defer_entry(struct entry *entry, const char *dsn, const char *reason)
{
	struct message *message = entry->message;

	for (size_t i = 0; i < entry->count; i++) {
		const struct recipient *recipient =
		    &message->envelope->recipients[entry->recipients[i]];
		char to[ADDRESS_EXTERNAL_SIZE];

		log_info("%s: to=<%s>, relay=none, delay=0, delays=0/0/0/0, "
		    "dsn=%s, status=deferred (%s)", message->id,
		    address_external(to, recipient->address), dsn, reason);
		message_result(message, &(struct delivery_result){
		    .number = (int64_t)entry->recipients[i],
		    .status = DELIVERY_DEFERRED, .dsn = dsn, .text = reason,
		    .relay = "none", .remote_mta = "", .diagnostic = "" });
	}
}

static void
add_entry(struct destination *destination, struct message *message,
    const size_t *places, size_t count)
{
	struct entry *entry = mem_zalloc(1, sizeof(*entry));

	entry->destination = destination;
	entry->message = message;
	entry->recipients = mem_resize(NULL, count, sizeof(*places));
	memcpy(entry->recipients, places, count * sizeof(*places));
	entry->count = count;
	TAILQ_INSERT_TAIL(&destination->waiting, entry, next);
	update_ring(destination);
}

/* Recipients of one transport and nexthop stand together after this. */
static const struct message *sorting;

static int
compare_places(const void *a, const void *b)
{
	const struct route *x = &sorting->routes[*(const size_t *)a];
	const struct route *y = &sorting->routes[*(const size_t *)b];
	int order = strcmp(x->transport, y->transport);

	if (order == 0)
		order = strcmp(x->nexthop, y->nexthop);
	if (order == 0)
		order = strcmp(x->address, y->address);
	return order;
}

static bool
is_deferred_transport(const char *name)
{
	char *list = mem_strdup(config.defer_transports);
	char *cursor = list, *word;
	bool found = false;

	while (!found && (word = word_next(&cursor, LIST_SEPARATORS)) != NULL)
		found = strcmp(word, name) == 0;
	free(list);
	return found;
}

static void
queue_recipients(struct message *message, const size_t *places, size_t count)
{
	const struct route *route = &message->routes[places[0]];
	struct transport *transport = find_transport(route->transport);
	size_t limit = (size_t)transport->recipient_limit;
	const char *reason = NULL;

	if (transport->agent == NULL)
		reason = "mail transport unavailable";
	else if (is_deferred_transport(route->transport))
		reason = "deferred transport";
	for (size_t done = 0; done < count; done += limit) {
		size_t part = count - done < limit ? count - done : limit;
		bool alone = transport->recipient_limit == 1;
		struct destination *destination = find_destination(transport,
		    route->nexthop, alone ? message->routes[places[done]].address : "");
		struct entry refused = { .message = message,
		    .recipients = (size_t *)(uintptr_t)(places + done),
		    .count = part };

		if (reason != NULL) {
			defer_entry(&refused, "4.3.0", reason);
			forget_if_idle(destination);
		} else if (destination->dead_until_ms > clock_ms()) {
			char *text = mem_printf("delivery temporarily suspended: %s",
			    destination->dead_reason);

			defer_entry(&refused, "4.4.1", text);
			free(text);
		} else {
			add_entry(destination, message, places + done, part);
		}
	}
}

static void
on_run_soon(int fd, short what, void *argument)
{
	schedule_run();
}

void
schedule_message(struct message *message)
{
	size_t room = message->envelope->recipient_count, count = 0;
	size_t *places = mem_resize(NULL, room, sizeof(*places));

	for (size_t i = 0; i < room; i++) {
		if (message->states[i] == RECIPIENT_QUEUED)
			places[count++] = i;
	}
	sorting = message;
	if (count > 1)
		qsort(places, count, sizeof(*places), compare_places);
	for (size_t from = 0, to; from < count; from = to) {
		const struct route *first = &message->routes[places[from]];

		for (to = from + 1; to < count; to++) {
			const struct route *other = &message->routes[places[to]];

			if (strcmp(first->transport, other->transport) != 0 ||
			    strcmp(first->nexthop, other->nexthop) != 0)
				break;
		}
		queue_recipients(message, places + from, to - from);
	}
	free(places);
	/* All that this turn of the loop brings is handed out together. */
	if (run_soon == NULL)
		run_soon = event_new(service_base, -1, 0, on_run_soon, NULL);
	event_active(run_soon, EV_TIMEOUT, 0);
}

/* A hash of the mailbox, so that its deliveries meet in one worker. */
static uint32_t
affinity_of(const struct destination *destination)
{
	return crc32c(0, destination->key, strlen(destination->key));
}

static bool
run_transport(struct transport *transport)
{
	struct destination *destination = TAILQ_FIRST(&transport->ring);

	if (destination == NULL || service_is_leaving() ||
	    transport->underway >= agent_limit(transport->agent))
		return false;

	struct entry *entry = TAILQ_FIRST(&destination->waiting);

	enum agent_answer answer = agent_deliver(transport->agent, entry,
	    affinity_of(destination));

	if (answer == AGENT_BUSY)
		return false;
	TAILQ_REMOVE(&destination->waiting, entry, next);
	if (answer == AGENT_UNREADABLE) {
		struct message *message = entry->message;

		defer_entry(entry, "4.3.0", "message file cannot be read");
		entry_free(&entry);
		update_ring(destination);
		forget_if_idle(destination);
		message_check_finished(message);
		return true;
	}
	destination->underway++;
	transport->underway++;
	/* To the end of the ring, if it has more. */
	TAILQ_REMOVE(&transport->ring, destination, next);
	destination->in_ring = false;
	update_ring(destination);
	return true;
}

void
schedule_run(void)
{
	struct transport *transport;

	TAILQ_FOREACH(transport, &all_transports, next) {
		while (run_transport(transport))
			;
	}
}

/* The host could not be reached at all: nothing of the message was said to it. */
static bool
is_unreachable(const struct delivery_result *results, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (results[i].status != DELIVERY_DEFERRED ||
		    strncmp(results[i].dsn, "4.4.", 4) != 0 ||
		    strcmp(results[i].relay, "none") != 0)
			return false;
	}
	return count > 0;
}

static void
declare_dead(struct destination *destination, const char *reason)
{
	struct entry *entry;
	char *text = mem_printf("delivery temporarily suspended: %s", reason);

	free(destination->dead_reason);
	destination->dead_reason = mem_strdup(reason);
	destination->dead_until_ms = clock_ms() +
	    (int64_t)config.minimal_backoff_time * 1000;
	destination->window = destination->transport->window_start;
	while ((entry = TAILQ_FIRST(&destination->waiting)) != NULL) {
		struct message *message = entry->message;

		TAILQ_REMOVE(&destination->waiting, entry, next);
		defer_entry(entry, "4.4.1", text);
		entry_free(&entry);
		message_check_finished(message);
	}
	free(text);
	update_ring(destination);
}

static void
adjust_window(struct destination *destination,
    const struct delivery_result *results, size_t count)
{
	if (agent_is_worker(destination->transport->agent))
		return;
	if (!is_unreachable(results, count)) {
		destination->dead_until_ms = 0;
		if (destination->window < destination->transport->window_limit)
			destination->window++;
	} else if (--destination->window <= 0) {
		declare_dead(destination, results[0].text);
	}
}

void
schedule_reported(struct entry *entry, const struct delivery_result *results,
    size_t count, const char *reason)
{
	struct destination *destination = entry->destination;
	struct message *message = entry->message;

	destination->underway--;
	destination->transport->underway--;
	if (results == NULL)
		defer_entry(entry, "4.3.0", reason);
	for (size_t i = 0; results != NULL && i < count; i++)
		message_result(message, &results[i]);
	adjust_window(destination, results, results != NULL ? count : 0);
	update_ring(destination);
	forget_if_idle(destination);
	entry_free(&entry);
	message_check_finished(message);
}

void
schedule_again(struct entry *entry)
{
	struct destination *destination = entry->destination;

	destination->underway--;
	destination->transport->underway--;
	TAILQ_INSERT_HEAD(&destination->waiting, entry, next);
	update_ring(destination);
}

static void
drop_waiting(struct destination *destination, const struct message *message)
{
	struct entry *entry, *next;

	TAILQ_FOREACH_SAFE(entry, &destination->waiting, next, next) {
		if (entry->message != message)
			continue;
		for (size_t i = 0; i < entry->count; i++) {
			entry->message->states[entry->recipients[i]] =
			    RECIPIENT_PENDING;
			entry->message->underway--;
		}
		TAILQ_REMOVE(&destination->waiting, entry, next);
		entry_free(&entry);
	}
	update_ring(destination);
}

void
schedule_drop(struct message *message)
{
	struct transport *transport;

	TAILQ_FOREACH(transport, &all_transports, next) {
		size_t position = 0;
		void *destination;

		while (map_next(transport->destinations, &position,
		    &destination) != NULL)
			drop_waiting(destination, message);
	}
	message_check_finished(message);
}
