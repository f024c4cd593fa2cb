/*
 * turn - mail that would wait in memory too long waits in the queue's files
 *
 * The active queue has room for qmgr_message_active_limit messages, and no
 * destination may take it from the others. What waits here for one
 * destination is bounded twice:
 *
 * - By policy (a rate or a pause between deliveries): what cannot go within
 *   minimal_backoff_time is deferred, and its turn is promised to it.
 * - By what is left: no destination may hold more than is still free. So one
 *   that hangs has at most half of the queue, two have a third each, and there
 *   is always room for the next. New mail and mail that waited are counted
 *   apart: who releases a hundred thousand messages does not send new mail to
 *   the end of their line. The same goes for all of a transport's
 *   destinations together, but those that get their turns. One that is merely
 *   busy is let be: what goes within a few seconds does no harm. Should the
 *   queue fill all the same, what came last for the slow ones has to leave.
 */

#include "qmgr/schedule/schedule.h"

#include <stdlib.h>
#include <time.h>

#include "config/config.h"

/* What is gone within this time does no harm. */
#define PATIENCE_SECONDS	10

/* Parts of large messages that leave in one go. */
#define PARTS_AT_ONCE	40

/* Whose backoff is shorter is less patient. */
static int64_t
patience_us(void)
{
	return 1000000LL * (config.minimal_backoff_time < PATIENCE_SECONDS ?
	    config.minimal_backoff_time : PATIENCE_SECONDS);
}

static bool
has_policy(const struct destination *destination)
{
	return destination->pace.policy_us > 0 ||
	    destination->transport->rate_delay_us > 0;
}

static bool
waits_too_long(const struct destination *destination,
    const struct message *message, int64_t now)
{
	const struct pace *pace = &destination->pace;

	if (!has_policy(destination))
		return false;
	/* Older mail was promised its turn: new mail stands behind it. */
	if (!message->waited && pace_is_promised(pace, now))
		return true;
	return pace_wait(pace, now) > 1000000LL * config.minimal_backoff_time;
}

static bool
is_crowded(const struct held kinds[HELD_KINDS], const struct pace *pace,
    bool waited, int64_t now)
{
	struct room room = message_room(waited);
	const struct held *held = &kinds[waited];

	return held->messages > 0 && (held->messages >= room.messages ||
	    held->recipients >= room.recipients) &&
	    pace_wait(pace, now) > patience_us();
}

static size_t
held_messages(const struct destination *destination)
{
	return destination->held[false].messages +
	    destination->held[true].messages;
}

static void
warn_of_clog(struct destination *destination)
{
	int64_t now = clock_ms();

	if (config.qmgr_clog_warn_time == 0 ||
	    now < destination->warn_after_ms)
		return;
	destination->warn_after_ms = now + 1000LL * config.qmgr_clog_warn_time;
	log_warning("mail for %s is using up %zu of %d active queue entries; "
	    "what comes now waits in deferred",
	    destination->nexthop, held_messages(destination),
	    config.qmgr_message_active_limit);
}

/* "14:03:22", with the day in front where it is not today's. */
static void
print_time(char *text, size_t size, int64_t wall_us)
{
	time_t when = (time_t)(wall_us / 1000000);
	bool soon = wall_us - clock_wall_us() < 12 * 60 * 60 * 1000000LL;
	struct tm local;

	localtime_r(&when, &local);
	strftime(text, size, soon ? "%H:%M:%S" : "%b %e %H:%M:%S", &local);
}

/* Why mail waits, here or elsewhere; released with free(3). */
static char *
explain(const struct destination *destination, int64_t turn)
{
	const struct transport *transport = destination->transport;
	char when[32];

	print_time(when, sizeof(when), turn);
	if (destination->pace.policy_us > 0)
		return mem_printf("rate limit %s of %s: next at %s",
		    transport->rate, destination->nexthop, when);
	if (transport->rate_delay_us > 0)
		return mem_printf("rate delay %llds of %s: next at %s",
		    (long long)transport->rate_delay_us / 1000000,
		    destination->nexthop, when);
	return mem_printf("too much mail for %s is waiting: next at %s",
	    destination->nexthop, when);
}

static void
defer_until(struct destination *destination, struct message *message,
    const size_t *places, size_t count, int64_t wait_us)
{
	int64_t turn = clock_wall_us() + wait_us;
	char *reason = explain(destination, turn);

	entry_defer(message, places, count, "4.4.5", reason);
	free(reason);

	/* It is back a little before its turn, so that somebody is always there. */
	int64_t early = has_policy(destination) ?
	    500000LL * config.minimal_backoff_time : patience_us();

	if (early > wait_us)
		early = wait_us;
	turn -= early;
	message_promise(message, count, turn);
	promise_remember(message->id, turn);
}

/* Its own mail does not go: whatever ails the transport, ails it too. */
static bool
is_stuck(const struct destination *destination, int64_t now)
{
	return held_messages(destination) > 0 && (destination->underway == 0 ||
	    pace_wait(&destination->pace, now) > patience_us());
}

/* The pace that is too slow for more mail; NULL: none is. */
static struct pace *
find_slow_pace(struct destination *destination, bool waited, int64_t now)
{
	struct transport *transport = destination->transport;

	if (is_crowded(destination->held, &destination->pace, waited, now))
		return &destination->pace;
	if (is_crowded(transport->held, &transport->pace, waited, now) &&
	    is_stuck(destination, now))
		return &transport->pace;
	return NULL;
}

/* How long such mail waits elsewhere. */
static int64_t
promise(struct pace *pace, size_t recipients, int64_t now, bool by_policy)
{
	int64_t turn = pace_promise(pace, (int64_t)recipients, now);
	int64_t longest = now + 1000000LL * config.maximal_backoff_time;

	/* What was seen is no policy: things may be better soon. */
	if (!by_policy && turn > longest) {
		turn = longest;
		pace->promised_us = longest;
	}
	return turn - now;
}

bool
turn_wait_here(struct destination *destination, struct message *message,
    const size_t *places, size_t count)
{
	int64_t now = clock_us();
	bool by_policy = waits_too_long(destination, message, now);
	struct pace *pace = by_policy ? &destination->pace :
	    find_slow_pace(destination, message->waited, now);

	if (pace == NULL)
		return true;
	if (!by_policy)
		warn_of_clog(destination);
	defer_until(destination, message, places, count,
	    promise(pace, count, now, by_policy));
	return false;
}

/* The queue is nearly full: who came last to a destination that is slow leaves. */
static void
relieve(struct destination *destination)
{
	int64_t now = clock_us();
	struct entry *entry;
	struct pace *pace;

	while ((entry = TAILQ_LAST(&destination->waiting, entries)) != NULL &&
	    (pace = find_slow_pace(destination, entry->message->waited,
	    now)) != NULL) {
		struct message *message = entry->message;

		warn_of_clog(destination);
		entry_unqueue(entry);
		defer_until(destination, message, entry->recipients,
		    entry->count, promise(pace, entry->count, now, false));
		entry_free(&entry);
		message_check_finished(message);
	}
	destination_update(destination);
}

/*
 * Of large messages a part leaves, if they would be here for long: their
 * recipients count, and some lists for one that hangs would stop all mail.
 */
static void
relieve_of_large(struct destination *destination)
{
	int64_t now = clock_us(), wall = clock_wall_us();
	int64_t longest = 1000000LL * config.minimal_backoff_time;
	struct peer *peer;

	for (int i = 0; i < PARTS_AT_ONCE &&
	    (peer = LIST_FIRST(&destination->peers)) != NULL &&
	    pace_wait(&destination->pace, now) > longest; i++) {
		struct message *message = peer->job->message;
		int64_t turn = wall + promise(&destination->pace, 1, now,
		    has_policy(destination));
		char *reason = explain(destination, turn);

		message_promise(message, peer_defer(peer, "4.4.5", reason),
		    turn);
		free(reason);
		message_check_finished(message);
	}
	destination_update(destination);
}

static bool
is_nearly_full(bool waited)
{
	struct room room = message_room(waited);

	return room.messages <=
	    (size_t)config.qmgr_message_active_limit / 10 ||
	    room.recipients <=
	    (size_t)config.qmgr_message_recipient_limit / 10;
}

/* A large message that makes room may take up other destinations, so the busy ones are listed first. */
static void
relieve_transport(struct transport *transport)
{
	size_t position = 0, count = 0;
	void *any;
	struct destination **busy = mem_resize(NULL,
	    map_count(transport->destinations) + 1, sizeof(*busy));

	while (map_next(transport->destinations, &position, &any) != NULL) {
		struct destination *destination = any;

		if (!TAILQ_EMPTY(&destination->waiting) ||
		    !LIST_EMPTY(&destination->peers))
			busy[count++] = destination;
	}
	while (count > 0) {
		relieve(busy[--count]);
		relieve_of_large(busy[count]);
	}
	free(busy);
}

void
turn_look(void)
{
	struct transport *transport = NULL;

	while ((is_nearly_full(false) || is_nearly_full(true)) &&
	    (transport = transport_next(transport)) != NULL)
		relieve_transport(transport);
	promise_keep(clock_wall_us());
}

/* The destination's next delivery; how far behind it this message's is shows in the queue. */
static void
add_reasons(struct text *reasons, const struct destination *destination,
    const size_t *places, size_t count)
{
	int64_t pause = pace_pause(&destination->pace, clock_us());

	if (!has_policy(destination) || pause == 0)
		return;

	char *reason = explain(destination, clock_wall_us() + pause);

	for (size_t i = 0; i < count; i++)
		delivery_result_encode(reasons, &(struct delivery_result){
		    .number = (int64_t)places[i], .status = DELIVERY_DEFERRED,
		    .dsn = "4.4.5", .text = reason, .relay = "none",
		    .remote_mta = "", .diagnostic = "" });
	free(reason);
}

void
schedule_reasons(const struct message *message, struct text *reasons)
{
	const struct entry *entry;
	const struct job *job;
	const struct peer *peer;

	LIST_FOREACH(entry, &message->waiting, of_message)
		add_reasons(reasons, entry->destination, entry->recipients,
		    entry->count);
	LIST_FOREACH(job, &message->jobs, of_message)
		LIST_FOREACH(peer, &job->peers, of_job)
			add_reasons(reasons, peer->destination,
			    job->places + peer->at, peer->end - peer->at);
}
