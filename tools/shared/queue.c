#include "tools/shared/queue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "ipc/ipc.h"
#include "message/envelope.h"
#include "spool/spool.h"
#include "tools/shared/drop.h"

/* How long a delivery under way may take until its message is on hold. */
#define HOLD_WAIT_MS	10000

static int qmgr = -1;

void
queue_open(void)
{
	fd_close(&qmgr);
	qmgr = ipc_connect(config.queue_service_name, false);
}

bool
queue_is_down(void)
{
	return qmgr == -1;
}

static bool
ask_qmgr(const char *operation, const char *id)
{
	struct ipc_packet request = IPC_PACKET_EMPTY, reply = IPC_PACKET_EMPTY;
	struct ipc_queue_operated operated = { 0 };

	ipc_encode_queue_operation(&request, 0, &(struct ipc_queue_operation){
	    .operation = operation, .queue_id = id });
	if (ipc_call(&qmgr, config.queue_service_name, &request, &reply) == -1)
		fatal("ask the %s service: %m", config.queue_service_name);
	if (ipc_decode_queue_operated(&reply, &operated) == -1)
		fatal("the %s service gives no answer that makes sense",
		    config.queue_service_name);
	ipc_packet_clear(&request);
	ipc_packet_clear(&reply);
	return operated.count > 0;
}

/* ----------------------------------------------------------- the journal, when nobody else is at it */

struct search {
	const char	*id;
	struct segment	*segment;	/* where it was found */
	int64_t		 offset;
	struct spool_record record;
	char		*bytes;		/* all of it */
};

static void
on_message(struct segment *segment, int64_t offset,
    const struct spool_record *record, const char *bytes, void *context)
{
	struct search *search = context;
	struct pool *pool = pool_new(0);
	struct envelope *envelope = envelope_decode(pool,
	    bytes + record->envelope_offset, record->envelope_length);

	if (envelope != NULL && strcmp(envelope->queue_id, search->id) == 0 &&
	    memchr(bytes + record->marks_offset, SPOOL_MARK_PENDING,
	    record->marks_length) != NULL) {
		search->segment = segment;
		search->offset = offset;
		search->record = *record;
		free(search->bytes);
		search->bytes = mem_alloc((size_t)record->length);
		memcpy(search->bytes, bytes, (size_t)record->length);
	}
	pool_free(&pool);
}

static void
search_end(struct search *search)
{
	segment_close(&search->segment);
	free(search->bytes);
	search->bytes = NULL;
}

static bool
find_in_journal(struct search *search, const char *id)
{
	int *numbers, count = segment_list(&numbers);

	*search = (struct search){ .id = id };
	for (int i = 0; i < count && search->segment == NULL; i++) {
		struct segment *segment = segment_open(numbers[i]);

		if (segment == NULL)
			continue;
		segment_scan(segment, 0, on_message, search);
		if (search->segment == NULL)
			segment_close(&segment);
	}
	free(numbers);
	return search->segment != NULL;
}

/* The journal's copy is finished. */
static void
mark_all(struct search *search)
{
	const char *marks = search->bytes + search->record.marks_offset;

	for (size_t i = 0; i < search->record.marks_length; i++) {
		if (marks[i] != SPOOL_MARK_DONE &&
		    segment_mark(search->segment, search->offset +
		    (int64_t)(search->record.marks_offset + i),
		    SPOOL_MARK_DONE) == -1)
			fatal("write in the journal: %m");
	}
	if (segment_flush(search->segment) == -1)
		fatal("write in the journal: %m");
}

static bool
delete_directly(const char *id)
{
	struct search search;
	int queue = spool_file_find(id);
	bool found = find_in_journal(&search, id);
	char path[64];

	/* The journal first: its copy would come back without the file. */
	if (found)
		mark_all(&search);
	search_end(&search);
	if (queue == -1)
		return found;
	if (spool_file_remove((enum spool_queue)queue, id) == -1)
		fatal("remove %s: %m", id);
	snprintf(path, sizeof(path), "defer/%c/%s", id[0], id);
	unlink(path);
	return true;
}

static bool
hold_from_journal(const char *id)
{
	struct search search;
	bool found = find_in_journal(&search, id);

	if (found) {
		const struct spool_record *record = &search.record;
		struct text envelope = { search.bytes + record->envelope_offset,
		    record->envelope_length, record->envelope_length };

		if (spool_file_commit(SPOOL_HOLD, id, &envelope,
		    search.bytes + record->marks_offset, record->marks_length,
		    search.bytes + record->content_offset,
		    (size_t)record->content_length, -1, 0, 0) == -1)
			fatal("write hold/%s: %m", id);
		mark_all(&search);
	}
	search_end(&search);
	return found;
}

static bool
move_directly(const char *id, enum spool_queue to)
{
	int queue = spool_file_find(id);

	if (queue == (int)to || queue == SPOOL_CORRUPT)
		return false;
	if (queue == -1)
		return to == SPOOL_HOLD && hold_from_journal(id);
	if (spool_file_move((enum spool_queue)queue, to, id) == -1)
		fatal("move %s to %s: %m", id, spool_queue_name(to));
	return true;
}

/* ----------------------------------------------------------- operations */

bool
queue_delete(const char *id)
{
	return queue_is_down() ? delete_directly(id) : ask_qmgr("delete", id);
}

bool
queue_hold(const char *id)
{
	return queue_is_down() ? move_directly(id, SPOOL_HOLD) :
	    ask_qmgr("hold", id);
}

bool
queue_release(const char *id)
{
	if (!queue_is_down())
		return ask_qmgr("release", id);
	if (spool_file_find(id) != SPOOL_HOLD)
		return false;
	move_directly(id, SPOOL_DEFERRED);
	spool_file_set_retry(SPOOL_DEFERRED, id, (int64_t)time(NULL));
	return true;
}

bool
queue_expire(const char *id)
{
	return !queue_is_down() && ask_qmgr("expire", id);
}

/* Only those who do not have it yet; nothing that was decided before. */
static void
encode_anew(const struct envelope *old, const char *marks, struct text *out,
    size_t *recipients)
{
	struct envelope anew = *old;
	struct recipient *left = mem_zalloc(old->recipient_count,
	    sizeof(*left));

	anew.recipients = left;
	anew.recipient_count = 0;
	for (size_t i = 0; i < old->recipient_count; i++) {
		if (marks[i] != SPOOL_MARK_PENDING)
			continue;
		left[anew.recipient_count] = old->recipients[i];
		left[anew.recipient_count].number =
		    (int64_t)anew.recipient_count;
		anew.recipient_count++;
	}
	anew.flags &= ~(ENVELOPE_HOLD | ENVELOPE_NO_EXPAND);
	envelope_encode(&anew, out);
	*recipients = anew.recipient_count;
	free(left);
}

static int
copy_content(struct drop *drop, int from, const struct spool_record *record)
{
	static char room[1 << 16];
	int64_t at = record->content_offset;

	while (at < record->length) {
		size_t part = record->length - at > (int64_t)sizeof(room) ?
		    sizeof(room) : (size_t)(record->length - at);

		if (fd_pread_full(from, room, part, at) != (ssize_t)part ||
		    drop_write(drop, room, part) == -1)
			return -1;
		at += (int64_t)part;
	}
	return 0;
}

static int
write_drop(int from, const struct spool_record *record,
    const struct text *envelope, size_t recipients)
{
	struct drop drop;

	if (drop_begin(&drop, 0400, envelope, recipients) == -1)
		return -1;
	if (copy_content(&drop, from, record) == 0)
		return drop_commit(&drop);
	drop_abandon(&drop);
	return -1;
}

/* A message on hold becomes a file of maildrop; it is in both for an instant, never in neither. */
static bool
drop_held(const char *id)
{
	struct spool_record record;
	struct text envelope = TEXT_EMPTY;
	size_t recipients = 0;
	char *front;
	int fd = spool_file_open(SPOOL_HOLD, id, false, true, &record, &front);

	if (fd == -1) {
		log_warning("%s: cannot read it: %m", id);
		return false;
	}

	struct pool *pool = pool_new(0);
	struct envelope *old = envelope_decode(pool,
	    front + record.envelope_offset, record.envelope_length);
	bool done = false;

	if (old != NULL && old->recipient_count == record.marks_length)
		encode_anew(old, front + record.marks_offset, &envelope,
		    &recipients);
	if (recipients == 0)
		log_warning("%s: nothing of it is left to deliver", id);
	else if (write_drop(fd, &record, &envelope, recipients) == -1)
		log_warning("%s: cannot write it into maildrop: %m", id);
	else
		done = queue_delete(id);
	text_clear(&envelope);
	pool_free(&pool);
	free(front);
	fd_close(&fd);
	return done;
}

/* qmgr says yes and does it when the agents are done with the message. */
static bool
wait_until_held(const char *id)
{
	for (int64_t end = clock_ms() + HOLD_WAIT_MS; clock_ms() < end;) {
		if (spool_file_find(id) == SPOOL_HOLD)
			return true;
		usleep(20 * 1000);
	}
	log_warning("%s: a delivery is under way; it is put on hold after it", id);
	return false;
}

bool
queue_requeue(const char *id)
{
	bool held = spool_file_find(id) == SPOOL_HOLD || queue_hold(id);

	return held && wait_until_held(id) && drop_held(id);
}
