/*
 * job - a message's recipients become deliveries
 *
 * A message with few recipients for a transport becomes entries, which wait
 * at their destinations. One with many becomes a job: it has a peer for each
 * destination, and an entry is cut off a peer when it is its turn, so that
 * what waits costs next to nothing. Jobs take turns in their transport, the
 * peers of a job within the job, peers of several jobs at their destination.
 *
 * What <transport>_recipient_limit and its kin bound is the number of peers:
 * a job takes its destinations up in portions.
 */

#include "qmgr/schedule/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* Destinations that are taken up in one go: the loop has others to serve. */
#define PORTION_MAX	500

/* Recipients that are deferred in one go. */
#define DEFER_AT_ONCE	50

/* Recipients of one transport and nexthop stand together after this. */
static const struct message *sorting;

static int
compare_places(const void *a, const void *b)
{
	const struct route *x = &sorting->routes[*(const size_t *)a];
	const struct route *y = &sorting->routes[*(const size_t *)b];
	int order = 0;

	/* routes.c lets neighbours share their strings. */
	if (x->transport != y->transport)
		order = strcmp(x->transport, y->transport);
	if (order == 0 && x->nexthop != y->nexthop)
		order = strcmp(x->nexthop, y->nexthop);
	return order != 0 ? order : strcmp(x->address, y->address);
}

/* Where a mailbox is a destination, its recipients alone travel together: one. */
static bool
is_alone(const struct transport *transport)
{
	return transport->recipient_limit == 1;
}

/* How many recipients a delivery may have. With VERP each has a sender of his own. */
static size_t
entry_limit(const struct transport *transport, const struct message *message)
{
	return *message->envelope->verp != '\0' ? 1 :
	    (size_t)transport->entry_limit;
}

/* The end of the recipients from a place on that have one destination. */
static size_t
end_of_destination(const struct transport *transport,
    const struct message *message, const size_t *places, size_t from,
    size_t count)
{
	const char *nexthop = message->routes[places[from]].nexthop;
	size_t to = from + 1;

	while (!is_alone(transport) && to < count &&
	    strcmp(message->routes[places[to]].nexthop, nexthop) == 0)
		to++;
	return to;
}

static size_t
count_deliveries(const struct transport *transport,
    const struct message *message, const size_t *places, size_t count)
{
	size_t deliveries = 0, limit = entry_limit(transport, message);

	for (size_t from = 0, to; from < count; from = to) {
		to = end_of_destination(transport, message, places, from, count);
		deliveries += (to - from - 1) / limit + 1;
	}
	return deliveries;
}

/* The destination of these recipients; NULL: nothing may go or wait there, they were deferred. */
static struct destination *
find_open_destination(struct transport *transport, struct message *message,
    const size_t *places, size_t count)
{
	const struct route *route = &message->routes[places[0]];
	struct destination *destination = destination_find(transport,
	    route->nexthop, is_alone(transport) ? route->address : "");

	if (destination->dead_until_ms > clock_ms()) {
		char *text = mem_printf("delivery temporarily suspended: %s",
		    destination->dead_reason);

		entry_defer(message, places, count, "4.4.1", text);
		free(text);
		return NULL;
	}
	if (!turn_wait_here(destination, message, places, count)) {
		destination_forget_if_idle(&destination);
		return NULL;
	}
	return destination;
}

static void
queue_small(struct transport *transport, struct message *message,
    const size_t *places, size_t count)
{
	size_t limit = entry_limit(transport, message);

	for (size_t from = 0, to; from < count; from = to) {
		struct destination *destination;

		to = end_of_destination(transport, message, places, from, count);
		if (to - from > limit)
			to = from + limit;
		destination = find_open_destination(transport, message,
		    places + from, to - from);
		if (destination == NULL)
			continue;
		entry_queue(entry_new(destination, message, places + from,
		    to - from, false), false);
		destination_update(destination);
	}
}

static void
count_waiting(struct peer *peer, void (*count)(struct pace *, int64_t))
{
	int64_t recipients = (int64_t)(peer->end - peer->at);

	count(&peer->destination->pace, recipients);
	count(&peer->destination->transport->pace, recipients);
}

static void
peer_new(struct job *job, struct destination *destination, size_t from,
    size_t to)
{
	struct peer *peer = mem_zalloc(1, sizeof(*peer));

	peer->job = job;
	peer->destination = destination;
	peer->at = from;
	peer->end = to;
	LIST_INSERT_HEAD(&job->peers, peer, of_job);
	LIST_INSERT_HEAD(&destination->peers, peer, of_destination);
	TAILQ_INSERT_TAIL(&destination->parked, peer, next);
	job->peer_count++;
	job->transport->peer_count++;
	count_waiting(peer, pace_enter);
	destination_update(destination);
}

static void
peer_unready(struct peer *peer)
{
	struct job *job = peer->job;

	TAILQ_REMOVE(&job->ready, peer, next);
	peer->is_ready = false;
	peer->destination->ready--;
	if (TAILQ_EMPTY(&job->ready)) {
		TAILQ_REMOVE(&job->transport->jobs, job, next);
		job->in_ring = false;
	}
}

void
peer_ready(struct peer *peer)
{
	struct job *job = peer->job;

	TAILQ_REMOVE(&peer->destination->parked, peer, next);
	TAILQ_INSERT_TAIL(&job->ready, peer, next);
	peer->is_ready = true;
	peer->destination->ready++;
	if (!job->in_ring)
		TAILQ_INSERT_TAIL(&job->transport->jobs, job, next);
	job->in_ring = true;
}

void
peer_park(struct peer *peer)
{
	peer_unready(peer);
	TAILQ_INSERT_HEAD(&peer->destination->parked, peer, next);
}

static void
peer_free(struct peer *peer)
{
	struct destination *destination = peer->destination;

	if (peer->is_ready)
		peer_unready(peer);
	else
		TAILQ_REMOVE(&destination->parked, peer, next);
	count_waiting(peer, pace_leave);
	LIST_REMOVE(peer, of_job);
	LIST_REMOVE(peer, of_destination);
	peer->job->peer_count--;
	peer->job->transport->peer_count--;
	free(peer);
}

static void
job_free(struct job *job)
{
	struct transport *transport = job->transport;

	LIST_REMOVE(job, of_message);
	if (--transport->job_count == 0)
		slots_reset(&transport->slots);
	free(job->places);
	free(job);
}

static bool
may_take(const struct job *job)
{
	const struct transport *transport = job->transport;
	size_t limit = (size_t)transport->peer_limit;

	if (job->peer_count == 0)
		limit += (size_t)transport->peer_extra;
	return job->taken < job->count && (transport->peer_count < limit ||
	    job->peer_count < (size_t)config.qmgr_message_recipient_minimum);
}

/* The next destination gets its peer, or its recipients are deferred. */
static void
take_destination(struct job *job)
{
	struct transport *transport = job->transport;
	size_t from = job->taken;
	const size_t *places = job->places + from;
	const char *dsn;
	const char *trouble = transport_trouble(transport, job->message, &dsn);
	struct destination *destination = NULL;

	job->taken = trouble != NULL ? job->count : end_of_destination(
	    transport, job->message, job->places, from, job->count);
	if (trouble == NULL && job->taken - from > transport->portion)
		job->taken = from + transport->portion;
	if (trouble != NULL)
		entry_defer(job->message, places, job->taken - from, dsn,
		    trouble);
	else
		destination = find_open_destination(transport, job->message,
		    places, job->taken - from);
	if (destination != NULL)
		peer_new(job, destination, from, job->taken);
}

/* Take up destinations while there is room; the job ends when all went. */
static void
job_fill(struct job *job)
{
	for (int i = 0; may_take(job) &&
	    (i < PORTION_MAX || job->peer_count == 0); i++)
		take_destination(job);
	job->filled_ms = clock_ms();
	if (job->peer_count == 0)
		job_free(job);
}

/* A peer is gone: is there room for a portion? */
static void
job_refill(struct job *job)
{
	const struct transport *transport = job->transport;

	if (job->peer_count == 0 ||
	    transport->peer_limit - (int)transport->peer_count >=
	    transport->refill_limit || clock_ms() - job->filled_ms >=
	    1000LL * transport->refill_delay)
		job_fill(job);
}

static void
job_start(struct transport *transport, struct message *message,
    const size_t *places, size_t count)
{
	struct job *job = mem_zalloc(1, sizeof(*job));

	job->transport = transport;
	job->message = message;
	job->places = mem_resize(NULL, count, sizeof(*places));
	memcpy(job->places, places, count * sizeof(*places));
	job->count = count;
	TAILQ_INIT(&job->ready);
	LIST_INSERT_HEAD(&message->jobs, job, of_message);
	transport->job_count++;
	job_fill(job);
}

struct entry *
peer_cut(const struct peer *peer)
{
	const struct job *job = peer->job;
	size_t count = peer->end - peer->at;
	size_t limit = entry_limit(job->transport, job->message);

	if (count > limit)
		count = limit;
	return entry_new(peer->destination, job->message,
	    job->places + peer->at, count, true);
}

void
peer_advance(struct peer *peer, size_t count)
{
	struct job *job = peer->job;

	peer->at += count;
	if (peer->at < peer->end) {
		peer_unready(peer);
		TAILQ_INSERT_TAIL(&peer->destination->parked, peer, next);
	} else {
		peer_free(peer);
		job_refill(job);
	}
}

size_t
peer_defer(struct peer *peer, const char *dsn, const char *reason)
{
	struct job *job = peer->job;
	size_t count = peer->end - peer->at;

	if (count > DEFER_AT_ONCE)
		count = DEFER_AT_ONCE;
	entry_defer(job->message, job->places + peer->at, count, dsn, reason);
	pace_leave(&peer->destination->pace, (int64_t)count);
	pace_leave(&job->transport->pace, (int64_t)count);
	peer->at += count;
	if (peer->at == peer->end) {
		peer_free(peer);
		job_refill(job);
	}
	return count;
}

void
job_drop(struct job *job)
{
	struct peer *peer;

	while ((peer = LIST_FIRST(&job->peers)) != NULL) {
		struct destination *destination = peer->destination;

		for (size_t i = peer->at; i < peer->end; i++)
			message_drop_recipient(job->message, job->places[i]);
		peer_free(peer);
		destination_update(destination);
		destination_forget_if_idle(&destination);
	}
	for (size_t i = job->taken; i < job->count; i++)
		message_drop_recipient(job->message, job->places[i]);
	job_free(job);
}

static void
queue_recipients(struct message *message, const size_t *places, size_t count)
{
	struct transport *transport = transport_find(
	    message->routes[places[0]].transport);
	const char *dsn;
	const char *trouble = transport_trouble(transport, message, &dsn);

	if (trouble != NULL)
		entry_defer(message, places, count, dsn, trouble);
	else if (slots_is_large(&transport->slots, count_deliveries(transport,
	    message, places, count)))
		job_start(transport, message, places, count);
	else
		queue_small(transport, message, places, count);
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
		const char *name = message->routes[places[from]].transport;

		for (to = from + 1; to < count; to++) {
			if (strcmp(message->routes[places[to]].transport,
			    name) != 0)
				break;
		}
		queue_recipients(message, places + from, to - from);
	}
	free(places);
	schedule_soon();
}
