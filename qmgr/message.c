/* message - from the time it is read until it is finished */

#include "qmgr/qmgr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "config/config.h"

/* Envelope, routes and results of one message. */
#define MESSAGE_POOL	(512 << 20)

/* When the spool takes no file, a message stays in memory and is tried again. */
#define SPOOL_RETRY_SECONDS	30

static TAILQ_HEAD(, message) messages = TAILQ_HEAD_INITIALIZER(messages);
static struct map *by_id, *by_unique;

static void finish_round(struct message *message);
static void obey(struct message *message);

struct message *
message_find(const char *id)
{
	return by_id != NULL ? map_get(by_id, id) : NULL;
}

void
message_each(void (*visit)(struct message *, void *), void *context)
{
	struct message *message, *next;

	TAILQ_FOREACH_SAFE(message, &messages, all, next)
		visit(message, context);
}

static void
message_free(struct message **argument)
{
	struct message *message = *argument;

	TAILQ_REMOVE(&messages, message, all);
	map_remove(by_id, message->id);
	if (map_get(by_unique, message->envelope->unique) == message)
		map_remove(by_unique, message->envelope->unique);
	room_leave(message);
	if (message->later != NULL)
		event_free(message->later);
	text_clear(&message->results);
	free(message->states);
	pool_free(&message->pool);
	free(message);
	*argument = NULL;
	arrivals_pace();
	deferred_pace();
}

static void
enroll(struct message *message)
{
	if (by_id == NULL) {
		by_id = map_new();
		by_unique = map_new();
	}
	TAILQ_INSERT_TAIL(&messages, message, all);
	map_set(by_id, message->id, message);
	if (map_get(by_unique, message->envelope->unique) == NULL)
		map_set(by_unique, message->envelope->unique, message);
	room_enter(message);
}

/* What the mark says; and what was served already, though its sender was not told of it. */
static void
begin_recipient(struct message *message, size_t i, char mark)
{
	const struct recipient *recipient = &message->envelope->recipients[i];
	bool expanded = *recipient->expanded != '\0';

	message->states[i] = mark == SPOOL_MARK_DONE ? RECIPIENT_DONE :
	    mark == SPOOL_MARK_OWED || expanded ? RECIPIENT_OWED :
	    RECIPIENT_PENDING;
	if (message->states[i] == RECIPIENT_OWED)
		delivery_result_encode(&message->results,
		    &(struct delivery_result){ .number = (int64_t)i,
		    .status = DELIVERY_SENT, .dsn = "2.0.0",
		    .text = expanded ? "alias expanded" : "delivered",
		    .action = expanded ? ACTION_EXPANDED : ACTION_DELIVERED,
		    .relay = "none", .remote_mta = "", .diagnostic = "" });
}

struct message *
message_new(const struct spool_record *record, const char *bytes, bool waited)
{
	struct pool *pool = pool_new(MESSAGE_POOL);
	struct envelope *envelope = envelope_decode(pool,
	    bytes + record->envelope_offset, record->envelope_length);
	const char *marks = bytes + record->marks_offset;

	if (envelope == NULL || !spool_id_is_valid(envelope->queue_id) ||
	    envelope->recipient_count != record->marks_length) {
		pool_free(&pool);
		errno = EBADMSG;
		return NULL;
	}

	bool known = message_find(envelope->queue_id) != NULL;

	if (known || spool_all_done(marks, record->marks_length)) {
		pool_free(&pool);
		errno = known ? EEXIST : EALREADY;
		return NULL;
	}

	struct message *message = mem_zalloc(1, sizeof(*message));

	strlcpy(message->id, envelope->queue_id, sizeof(message->id));
	message->pool = pool;
	message->envelope = envelope;
	message->record = *record;
	message->waited = waited;
	message->force_expired = memchr(marks, SPOOL_MARK_RETURN,
	    record->marks_length) != NULL;
	message->states = mem_zalloc(record->marks_length, 1);
	for (size_t i = 0; i < record->marks_length; i++)
		begin_recipient(message, i, marks[i]);
	enroll(message);
	return message;
}

/* A second copy of a message that is under way: a notice or an expansion that was made again after a stop. */
static bool
is_duplicate(const struct message *message)
{
	return map_get(by_unique, message->envelope->unique) != message;
}

void
message_set_state(struct message *message, size_t recipient,
    enum recipient_state state)
{
	message->states[recipient] = (uint8_t)state;
	if (state == RECIPIENT_DONE || state == RECIPIENT_OWED)
		place_mark(message, recipient);
}

static void
mark_all_done(struct message *message)
{
	for (size_t i = 0; i < message->envelope->recipient_count; i++) {
		if (message->states[i] != RECIPIENT_DONE)
			message_set_state(message, i, RECIPIENT_DONE);
	}
}

void
message_forget_shadow(struct message *message)
{
	mark_all_done(message);
	journal_finished(message);
	message_free(&message);
}

void
message_activate(struct message *message)
{
	struct envelope *envelope = message->envelope;
	char sender[ADDRESS_EXTERNAL_SIZE];

	message->active_us = clock_wall_us();
	message->turn_us = 0;
	message->promised = 0;
	if (is_duplicate(message)) {
		log_info("%s: a second copy of %s, dropped", message->id,
		    envelope->unique);
		mark_all_done(message);
		place_leave(message, SPOOL_NOWHERE, 0);
		return;
	}
	log_info("%s: from=<%s>, size=%lld, nrcpt=%zu (queue active)",
	    message->id, address_external(sender, envelope->sender),
	    (long long)envelope->size, envelope->recipient_count);
	routes_find(message);
}

static enum recipient_state
state_after(const struct message *message, const struct delivery_result *result)
{
	if (message->envelope->flags & ENVELOPE_PROBE)
		return RECIPIENT_DONE;
	if (notices_owe(message, result))
		return RECIPIENT_OWED;
	return result->status == DELIVERY_SENT ? RECIPIENT_DONE :
	    result->status == DELIVERY_BOUNCED ? RECIPIENT_BOUNCED :
	    RECIPIENT_DEFERRED;
}

void
message_result(struct message *message, const struct delivery_result *result)
{
	size_t i = (size_t)result->number;

	if (i >= message->envelope->recipient_count ||
	    message->states[i] != RECIPIENT_QUEUED) {
		log_warning("%s: a result for a recipient that nobody has",
		    message->id);
		return;
	}
	message->underway--;
	if (message->envelope->flags & ENVELOPE_PROBE)
		probes_tell(message, result);
	message_set_state(message, i, state_after(message, result));
	if (message->states[i] != RECIPIENT_DONE)
		delivery_result_encode(&message->results, result);
}

void
message_promise(struct message *message, size_t recipients, int64_t turn_us)
{
	if (message->turn_us == 0 || turn_us < message->turn_us)
		message->turn_us = turn_us;
	message->promised += recipients;
}

void
message_drop_recipient(struct message *message, size_t recipient)
{
	message->states[recipient] = RECIPIENT_PENDING;
	message->underway--;
}

void
message_check_finished(struct message *message)
{
	if (message->unresolved > 0 || message->underway > 0)
		place_update(message);
	else if (!message->is_leaving)
		finish_round(message);
}

bool
message_has(const struct message *message, enum recipient_state state)
{
	return memchr(message->states, (int)state,
	    message->envelope->recipient_count) != NULL;
}

/* Too old to wait any longer. Notices to the null sender have a life of their own. */
static bool
is_expired(const struct message *message)
{
	if (message->force_expired)
		return true;

	int64_t life = *message->envelope->sender == '\0' ?
	    config.bounce_queue_lifetime : config.maximal_queue_lifetime;

	return times_may_expire() && clock_wall_us() -
	    message->envelope->arrival_us >= life * 1000000;
}

static void
set_all(struct message *message, enum recipient_state from,
    enum recipient_state to)
{
	for (size_t i = 0; i < message->envelope->recipient_count; i++) {
		if (message->states[i] == (uint8_t)from)
			message->states[i] = (uint8_t)to;
	}
}

static size_t
count_state(const struct message *message, enum recipient_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < message->envelope->recipient_count; i++)
		n += message->states[i] == (uint8_t)state;
	return n;
}

/*
 * When it is tried again: after as long as it has waited, within the backoff
 * times; or when its turn comes that was promised to it.
 */
static int64_t
retry_time(const struct message *message)
{
	if (message->turn_us != 0 &&
	    message->promised == count_state(message, RECIPIENT_DEFERRED))
		return message->turn_us / 1000000;

	int64_t now = clock_wall_us() / 1000000;
	int64_t pause = now - message->envelope->arrival_us / 1000000;

	if (pause < config.minimal_backoff_time)
		pause = config.minimal_backoff_time;
	if (pause > config.maximal_backoff_time)
		pause = config.maximal_backoff_time;
	return now + pause;
}

static void
on_later(int fd, short what, void *argument)
{
	struct message *message = argument;

	if (message->is_leaving)
		return;
	text_truncate(&message->results, 0);
	set_all(message, RECIPIENT_DEFERRED, RECIPIENT_PENDING);
	set_all(message, RECIPIENT_BOUNCED, RECIPIENT_PENDING);
	message_activate(message);
}

/* The spool refused: without a file it can only wait here. */
void
message_try_later(struct message *message)
{
	const struct timeval pause = { SPOOL_RETRY_SECONDS, 0 };

	if (message->later == NULL)
		message->later = event_new(service_base, -1, 0, on_later,
		    message);
	event_add(message->later, &pause);
}

void
message_try_now(struct message *message, void *context)
{
	const struct timeval now = { 0, 0 };

	if (message->later != NULL && event_pending(message->later, EV_TIMEOUT,
	    NULL))
		event_add(message->later, &now);
}

/* What is not done waits in deferred/, and qmgr forgets it until then. */
static void
wait_for_later(struct message *message)
{
	/* Our successor has another configuration, and tries it at once. */
	place_leave(message, SPOOL_DEFERRED, service_is_leaving() ?
	    clock_wall_us() / 1000000 : retry_time(message));
}

static void
on_delay_told(struct message *message, bool ok)
{
	if (message->operation != NULL)
		obey(message);
	else
		wait_for_later(message);
}

static void
end_round(struct message *message)
{
	if (message_has(message, RECIPIENT_DEFERRED) ||
	    message_has(message, RECIPIENT_BOUNCED) ||
	    message_has(message, RECIPIENT_OWED) ||
	    message_has(message, RECIPIENT_PENDING)) {
		if (notices_is_delay_due(message))
			notices_send_delay(message, on_delay_told);
		else
			wait_for_later(message);
		return;
	}
	place_leave(message, SPOOL_NOWHERE, 0);
}

static void
on_sender_told(struct message *message, bool ok)
{
	if (!ok)
		log_warning("%s: its sender could not be told what became of it; "
		    "both wait", message->id);
	end_round(message);
}

/* What postsuper wants, now that no agent has anything of it. */
static void
obey(struct message *message)
{
	const char *operation = message->operation;

	message->telling = NULL;
	set_all(message, RECIPIENT_DEFERRED, RECIPIENT_PENDING);
	set_all(message, RECIPIENT_BOUNCED, RECIPIENT_PENDING);
	if (strcmp(operation, "delete") == 0) {
		place_leave(message, SPOOL_NOWHERE, 0);
	} else {
		message->operation = NULL;
		place_leave(message, strcmp(operation, "hold") == 0 ?
		    SPOOL_HOLD : SPOOL_MAILDROP, 0);
	}
}

void
message_left(struct message *message, bool gone)
{
	bool wake = message->wake && message->goal == SPOOL_DEFERRED;
	bool by_hand = message->by_hand;
	char id[SPOOL_ID_SIZE];

	/* It was on its way to deferred, or to hold, when postsuper spoke. */
	if (!gone && message->operation != NULL) {
		obey(message);
		return;
	}
	if (gone)
		log_info("%s: removed", message->id);
	else if (message->goal == SPOOL_DEFERRED)
		sites_remember(message);
	strlcpy(id, message->id, sizeof(id));
	message_free(&message);
	if (wake)
		deferred_wake(id, by_hand);
}

static void
finish_round(struct message *message)
{
	char sender[ADDRESS_EXTERNAL_SIZE];
	bool expired;

	if (message->operation != NULL) {
		obey(message);
		return;
	}
	expired = message_has(message, RECIPIENT_DEFERRED) &&
	    is_expired(message);
	if (expired) {
		log_info("%s: from=<%s>, status=%s, returned to sender",
		    message->id,
		    address_external(sender, message->envelope->sender),
		    message->force_expired ? "force-expired" : "expired");
		set_all(message, RECIPIENT_DEFERRED, RECIPIENT_BOUNCED);
	}
	notices_send(message, expired, on_sender_told);
}

void
message_leave_to_successor(const struct message *message)
{
	if (message->segment == NULL && message->queue == SPOOL_DEFERRED &&
	    !message->is_leaving)
		spool_file_set_retry(SPOOL_DEFERRED, message->id,
		    clock_wall_us() / 1000000);
}

static void
expire(struct message *message)
{
	message->force_expired = true;
	place_mark_all(message);
	if (message->is_leaving && message->goal == SPOOL_DEFERRED) {
		message->retry_at = clock_wall_us() / 1000000;
		message->wake = message->by_hand = true;
	}
	place_go(message);
}

/* It is to be held, or on its way to hold. */
static bool
release(struct message *message)
{
	bool is_held = message->is_leaving && message->goal == SPOOL_HOLD;

	if (!is_held && (message->operation == NULL ||
	    strcmp(message->operation, "hold") != 0))
		return false;
	message->operation = NULL;
	message->wake = message->by_hand = true;
	if (is_held)
		place_leave(message, SPOOL_DEFERRED,
		    clock_wall_us() / 1000000);
	return true;
}

bool
message_operate(struct message *message, const char *operation)
{
	static const char *const known[] = { "delete", "hold", "requeue" };
	const char *wanted = NULL;

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (strcmp(operation, known[i]) == 0)
			wanted = known[i];
	}
	if (message->is_leaving && message->goal != SPOOL_DEFERRED &&
	    message->goal != SPOOL_HOLD)
		return false;
	if (message->operation != NULL &&
	    strcmp(message->operation, "delete") == 0)
		return false;
	if (strcmp(operation, "expire") == 0) {
		expire(message);
		return true;
	}
	if (strcmp(operation, "release") == 0)
		return release(message);
	if (wanted == NULL)
		return false;
	message->operation = wanted;
	place_stay(message);
	/* Not even a stop while an agent has it brings a deleted message back. */
	if (strcmp(wanted, "delete") == 0)
		place_mark_all(message);
	/* What agents have is theirs; what only waits goes at once. */
	schedule_drop(message);
	return true;
}
