/* message - from the time it is read until it is finished */

#include "qmgr/qmgr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address/address.h"
#include "config/config.h"

/* Envelope, routes and results of one message. */
#define MESSAGE_POOL	(512 << 20)

/* When the spool takes no file, a message stays in memory and is tried again. */
#define SPOOL_RETRY_SECONDS	30

static TAILQ_HEAD(, message) messages = TAILQ_HEAD_INITIALIZER(messages);
static struct map *by_id, *by_unique;
static size_t count;

static void finish_round(struct message *message);
static void obey(struct message *message);

struct message *
message_find(const char *id)
{
	return by_id != NULL ? map_get(by_id, id) : NULL;
}

size_t
message_count(void)
{
	return count;
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
	count--;
	fd_close(&message->file);
	if (message->later != NULL)
		event_free(message->later);
	text_clear(&message->results);
	free(message->states);
	pool_free(&message->pool);
	free(message);
	*argument = NULL;
	arrivals_pace();
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
	count++;
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

static bool
has_work(const char *marks, size_t count)
{
	return memchr(marks, SPOOL_MARK_PENDING, count) != NULL ||
	    memchr(marks, SPOOL_MARK_OWED, count) != NULL;
}

struct message *
message_new(const struct spool_record *record, const char *bytes)
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

	if (known || !has_work(marks, record->marks_length)) {
		pool_free(&pool);
		errno = known ? EEXIST : EALREADY;
		return NULL;
	}

	struct message *message = mem_zalloc(1, sizeof(*message));

	strlcpy(message->id, envelope->queue_id, sizeof(message->id));
	message->pool = pool;
	message->envelope = envelope;
	message->file = -1;
	message->record = *record;
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

bool
message_open_file(struct message *message)
{
	if (message->file == -1)
		message->file = spool_file_open(message->queue, message->id,
		    true, false, &message->record, NULL);
	return message->file != -1;
}

static void
mark_in_spool(struct message *message, size_t recipient, char mark)
{
	if (message->segment != NULL) {
		arrivals_mark(message, recipient, mark);
		return;
	}
	if (!message_open_file(message) || spool_file_mark(message->file,
	    &message->record, recipient, mark) == -1)
		log_warning("%s: cannot mark a recipient done: %m; it may be "
		    "delivered again after a stop", message->id);
}

/* What was not really delivered (sendmail -bv) is found out again after a stop. */
static char
mark_of(const struct message *message, uint8_t state)
{
	return state == RECIPIENT_DONE ? SPOOL_MARK_DONE :
	    state == RECIPIENT_OWED &&
	    !(message->envelope->flags & ENVELOPE_VERIFY) ? SPOOL_MARK_OWED :
	    SPOOL_MARK_PENDING;
}

void
message_set_state(struct message *message, size_t recipient,
    enum recipient_state state)
{
	char mark = mark_of(message, (uint8_t)state);

	message->states[recipient] = (uint8_t)state;
	if (mark != SPOOL_MARK_PENDING)
		mark_in_spool(message, recipient, mark);
}

/* All is done: out of the spool, and forgotten. */
static void
remove_message(struct message **argument)
{
	struct message *message = *argument;

	if (message->segment != NULL)
		arrivals_finished(message);
	else if (spool_file_remove(message->queue, message->id) == -1)
		log_warning("%s: cannot remove it from %s: %m", message->id,
		    spool_queue_name(message->queue));
	log_info("%s: removed", message->id);
	message_free(argument);
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
	arrivals_finished(message);
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
		remove_message(&message);
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
	if (message->unresolved == 0 && message->underway == 0)
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

	return clock_wall_us() - message->envelope->arrival_us >=
	    life * 1000000;
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

static void
on_delay_told(struct message *message, bool ok)
{
	if (message->operation != NULL)
		obey(message);
	else
		message_free(&message);
}

/* What is not done waits in deferred/, and qmgr forgets it until then. */
static void
defer_message(struct message **argument)
{
	struct message *message = *argument;

	notices_remember(message);
	if (message->segment != NULL || message->queue != SPOOL_DEFERRED) {
		if (message->segment != NULL ?
		    message_to_file(message, SPOOL_DEFERRED) == -1 :
		    spool_file_move(message->queue, SPOOL_DEFERRED,
		    message->id) == -1) {
			log_warning("%s: cannot put it into deferred: %m; it stays "
			    "in memory and is tried again", message->id);
			message_try_later(message);
			return;
		}
	}
	if (spool_file_set_retry(SPOOL_DEFERRED, message->id,
	    retry_time(message)) == -1)
		log_warning("%s: cannot set the time of its next try: %m",
		    message->id);
	sites_remember(message);
	if (notices_is_delay_due(message))
		notices_send_delay(message, on_delay_told);
	else
		message_free(argument);
}

static void
end_round(struct message *message)
{
	if (message_has(message, RECIPIENT_DEFERRED) ||
	    message_has(message, RECIPIENT_BOUNCED) ||
	    message_has(message, RECIPIENT_OWED) ||
	    message_has(message, RECIPIENT_PENDING)) {
		defer_message(&message);
		return;
	}
	if (message->segment == NULL && message->queue == SPOOL_DEFERRED)
		notices_forget(message->id);
	remove_message(&message);
}

static void
on_sender_told(struct message *message, bool ok)
{
	if (!ok)
		log_warning("%s: its sender could not be told what became of it; "
		    "both wait", message->id);
	end_round(message);
}

static void
obey(struct message *message)
{
	const char *operation = message->operation;

	message->operation = NULL;
	if (strcmp(operation, "delete") == 0) {
		if (message->segment == NULL && message->queue == SPOOL_DEFERRED)
			notices_forget(message->id);
		mark_all_done(message);
		remove_message(&message);
		return;
	}
	set_all(message, RECIPIENT_DEFERRED, RECIPIENT_PENDING);
	set_all(message, RECIPIENT_BOUNCED, RECIPIENT_PENDING);
	if (message->segment != NULL ?
	    message_to_file(message, SPOOL_HOLD) == -1 :
	    spool_file_move(message->queue, SPOOL_HOLD, message->id) == -1)
		log_warning("%s: cannot put it on hold: %m", message->id);
	message_free(&message);
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
	if (message->segment == NULL && message->queue == SPOOL_DEFERRED)
		spool_file_set_retry(SPOOL_DEFERRED, message->id,
		    clock_wall_us() / 1000000);
}

void
message_marks(const struct message *message, struct text *marks)
{
	for (size_t i = 0; i < message->envelope->recipient_count; i++)
		text_putc(marks, mark_of(message, message->states[i]));
}

int
message_to_file(struct message *message, enum spool_queue queue)
{
	size_t length = message->record.envelope_length +
	    (size_t)message->record.content_length;
	char *bytes = mem_alloc(length + 1);
	struct text marks = TEXT_EMPTY;
	int result = -1;

	message_marks(message, &marks);
	if (segment_of_message_read(message,
	    (int64_t)message->record.envelope_offset, bytes, length) == 0) {
		struct text envelope = { bytes, message->record.envelope_length,
		    message->record.envelope_length };

		result = spool_file_commit(queue, message->id, &envelope,
		    marks.bytes, marks.length,
		    bytes + message->record.envelope_length,
		    (size_t)message->record.content_length, -1, 0, 0);
		if (result == -1 && errno == EEXIST)
			result = 0;	/* it was moved before a stop */
	}
	text_clear(&marks);
	free(bytes);
	if (result == 0) {
		/* Only now is the journal's copy finished: invariant 5 of the spool. */
		arrivals_leave_segment(message);
		message->queue = queue;
	}
	return result;
}

int
message_put_content(struct message *message, struct text *inline_content,
    int *file, int64_t *offset)
{
	size_t length = (size_t)message->record.content_length;

	*file = -1;
	*offset = message->record.content_offset;
	if (message->segment != NULL) {
		char *room = text_reserve(inline_content, length);

		if (segment_of_message_read(message, *offset, room, length) == -1)
			return -1;
		inline_content->length += length;
		return 0;
	}

	int fd = spool_file_open(message->queue, message->id, false, false,
	    &message->record, NULL);

	if (fd == -1)
		return -1;
	if (length > IPC_INLINE_MAX) {
		*file = fd;
		return 0;
	}

	char *room = text_reserve(inline_content, length);
	ssize_t n = fd_pread_full(fd, room, length, *offset);

	fd_close(&fd);
	if (n != (ssize_t)length) {
		errno = EBADMSG;
		return -1;
	}
	inline_content->length += length;
	return 0;
}

/* Not even a stop while an agent has it brings a deleted message back. */
static void
mark_deleted(struct message *message)
{
	for (size_t i = 0; i < message->envelope->recipient_count; i++) {
		if (message->states[i] != RECIPIENT_DONE)
			mark_in_spool(message, i, SPOOL_MARK_DONE);
	}
}

bool
message_operate(struct message *message, const char *operation)
{
	if (message->operation != NULL &&
	    strcmp(message->operation, "delete") == 0)
		return false;
	if (strcmp(operation, "expire") == 0) {
		message->force_expired = true;
		return true;
	}
	if (strcmp(operation, "delete") == 0) {
		message->operation = "delete";
		mark_deleted(message);
	} else if (strcmp(operation, "hold") == 0) {
		message->operation = "hold";
	} else {
		return false;
	}
	/* What agents have is theirs; what only waits goes at once. */
	schedule_drop(message);
	return true;
}
