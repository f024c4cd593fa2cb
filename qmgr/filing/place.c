/*
 * place - where a message lies, and what is marked there
 *
 * In the journal marks are set in place, at once. A message in a file is the
 * filer's to change: it is told what the file shall be like, and while it is
 * at that, what changes meanwhile is remembered and told next. So there is
 * one question a message, whatever happens to it.
 */

#include "qmgr/qmgr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t leaving;

static void ask(struct message *message, int to, int64_t retry_at);

size_t
place_leaving(void)
{
	return leaving;
}

static void
set_leaving(struct message *message, bool is_leaving)
{
	leaving += is_leaving;
	leaving -= message->is_leaving;
	message->is_leaving = is_leaving;
}

static bool
is_deleted(const struct message *message)
{
	return message->operation != NULL &&
	    strcmp(message->operation, "delete") == 0;
}

static char
mark_of(const struct message *message, size_t recipient)
{
	uint8_t state = message->states[recipient];

	if (state == RECIPIENT_DONE || is_deleted(message))
		return SPOOL_MARK_DONE;
	/* What was not really delivered (sendmail -bv) is found out again after a stop. */
	if (state == RECIPIENT_OWED &&
	    !(message->envelope->flags & ENVELOPE_VERIFY))
		return SPOOL_MARK_OWED;
	return message->force_expired ? SPOOL_MARK_RETURN : SPOOL_MARK_PENDING;
}

void
place_marks(const struct message *message, struct text *marks)
{
	for (size_t i = 0; i < message->envelope->recipient_count; i++)
		text_putc(marks, mark_of(message, i));
}

void
place_mark(struct message *message, size_t recipient)
{
	message->marked++;
	if (message->segment != NULL)
		journal_mark(message, recipient, mark_of(message, recipient));
}

void
place_mark_all(struct message *message)
{
	for (size_t i = 0; i < message->envelope->recipient_count; i++) {
		if (message->states[i] != RECIPIENT_DONE)
			place_mark(message, i);
	}
	place_update(message);
}

/* It is in a file, and memory knows more than that. */
static bool
is_behind(const struct message *message)
{
	return message->segment == NULL && message->marked != message->filed;
}

void
place_update(struct message *message)
{
	if (!message->is_filing && !message->is_leaving && is_behind(message))
		ask(message, (int)message->queue, 0);
}

static void
finish(struct message *message)
{
	bool gone = message->goal == SPOOL_NOWHERE;

	set_leaving(message, false);
	message_left(message, gone);
}

/* What the filer did holds now. Out of the journal: the copy there is finished, durably. */
static void
take_place(struct message *message)
{
	if (message->filing_to < 0)
		return;
	if (message->segment != NULL)
		journal_finished(message);
	message->queue = (enum spool_queue)message->filing_to;
}

static void
go_on(struct message *message, struct ipc_packet *packet)
{
	struct ipc_file_changed changed = { .error = EBADMSG };

	ipc_decode_file_changed(packet, &changed);
	message->is_filing = false;
	if (changed.error == 0) {
		take_place(message);
	} else {
		log_warning("%s: cannot put it %s%s: %s; it stays in memory and "
		    "is tried again", message->id,
		    message->filing_to >= 0 ? "into " : "out of ",
		    spool_queue_name(message->filing_to >= 0 ?
		    (enum spool_queue)message->filing_to : message->queue),
		    strerror((int)changed.error));
		message->filed = SIZE_MAX;	/* nobody knows which marks it has */
		if (message->is_leaving) {
			set_leaving(message, false);
			message_try_later(message);
		}
		return;
	}
	if (message->is_leaving && message->filing_last &&
	    message->filing_to == message->goal &&
	    !(message->filing_to >= 0 && is_behind(message)))
		finish(message);
	else if (message->is_leaving)
		place_leave(message, message->goal, message->retry_at);
	else
		place_update(message);
}

static void
on_changed(struct ipc_packet *packet, void *context)
{
	struct message *message = context;
	char id[SPOOL_ID_SIZE];

	strlcpy(id, message->id, sizeof(id));
	go_on(message, packet);
	message = message_find(id);
	if (message == NULL || !message->is_filing)
		operate_settled(id);
}

static void
ask(struct message *message, int to, int64_t retry_at)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct text marks = TEXT_EMPTY;

	/*
	 * A file that has them already needs no flush: most retries of what waits
	 * end with nothing new. After a stop nobody knows whether they are durable.
	 */
	if (message->segment != NULL || message->perhaps_delivered ||
	    is_behind(message))
		place_marks(message, &marks);
	message->is_filing = true;
	message->filing_to = to;
	message->filing_last = message->is_leaving;
	message->filed = message->marked;
	ipc_encode_file_change(&packet, 0, &(struct ipc_file_change){
	    .queue_id = message->id,
	    .from = message->segment != NULL ? SPOOL_JOURNAL :
		(int)message->queue,
	    .to = to,
	    .segment = message->segment != NULL ?
		journal_segment_number(message) : 0,
	    .offset = message->offset, .retry_at = retry_at,
	    .warned = message->warned,
	    .marks = { text_string(&marks), marks.length },
	    .reasons = { text_string(&message->results),
		message->is_leaving ? message->results.length : 0 } });
	filing_ask(&packet, on_changed, message);
	text_clear(&marks);
}

void
place_leave(struct message *message, int goal, int64_t retry_at)
{
	set_leaving(message, true);
	message->goal = goal;
	message->retry_at = retry_at;
	patience_end(message);
	if (message->is_filing)
		return;
	if (message->segment != NULL && goal == SPOOL_NOWHERE) {
		journal_finished(message);
		finish(message);
		return;
	}
	if (message->segment == NULL || goal != SPOOL_DEFERRED ||
	    !patience_begin(message))
		ask(message, goal, retry_at);
}

void
place_spill(struct message *message)
{
	place_go(message);
	if (!message->is_filing && !message->is_leaving)
		ask(message, SPOOL_INCOMING, 0);
}

void
place_go(struct message *message)
{
	bool is_patient = message->is_patient;

	patience_end(message);
	if (is_patient)
		ask(message, message->goal, message->retry_at);
}

void
place_stay(struct message *message)
{
	if (message->is_patient)
		set_leaving(message, false);
	patience_end(message);
}

int
message_put_content(struct message *message, struct text *inline_content,
    int *file, int64_t *offset)
{
	size_t length = (size_t)message->record.content_length;
	char *room;
	ssize_t n;

	*file = -1;
	*offset = message->record.content_offset;
	if (message->segment != NULL) {
		room = text_reserve(inline_content, length);
		if (journal_read(message, *offset, room, length) == -1)
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
	room = text_reserve(inline_content, length);
	n = fd_pread_full(fd, room, length, *offset);
	fd_close(&fd);
	if (n != (ssize_t)length) {
		errno = EBADMSG;
		return -1;
	}
	inline_content->length += length;
	return 0;
}
