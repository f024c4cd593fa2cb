#include "tools/shared/queue.h"

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

static void
ask_qmgr(const char *operation, char *const *ids, size_t count, bool *done)
{
	struct ipc_packet request = IPC_PACKET_EMPTY, reply = IPC_PACKET_EMPTY;
	struct ipc_queue_operated operated = { .done = { "", 0 } };
	struct text list = TEXT_EMPTY;

	for (size_t i = 0; i < count; i++)
		text_printf(&list, "%s\n", ids[i]);
	ipc_encode_queue_operation(&request, 0, &(struct ipc_queue_operation){
	    .operation = operation,
	    .queue_ids = { text_string(&list), list.length } });
	if (ipc_call(&qmgr, config.queue_service_name, &request, &reply) == -1)
		fatal("ask the %s service: %m", config.queue_service_name);
	if (ipc_decode_queue_operated(&reply, &operated) == -1 ||
	    operated.done.length != count)
		fatal("the %s service gives no answer that makes sense",
		    config.queue_service_name);
	for (size_t i = 0; i < count; i++)
		done[i] = operated.done.bytes[i] == '+';
	ipc_packet_clear(&request);
	ipc_packet_clear(&reply);
	text_clear(&list);
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
	    !spool_all_done(bytes + record->marks_offset,
	    record->marks_length)) {
		search->segment = segment;
		search->offset = offset;
		search->record = *record;
		free(search->bytes);
		search->bytes = mem_alloc((size_t)record->length);
		memcpy(search->bytes, bytes, (size_t)record->length);
	}
	pool_free(&pool);
}

/*
 * A message that became a file just before the stop is finished in the
 * journal by a mark that may not be durable: it must be, before the file goes.
 */
static void
settle_journal(void)
{
	int *numbers, count = segment_list(&numbers);

	if (count == -1)
		fatal("list journal: %m");
	for (int i = 0; i < count; i++) {
		if (segment_sync(numbers[i]) == -1)
			fatal("sync journal/%04d: %m", numbers[i]);
	}
	free(numbers);
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

	/* The journal first: its copy would come back without the file. */
	if (found)
		mark_all(&search);
	search_end(&search);
	if (queue == -1)
		return found;
	if (spool_file_remove((enum spool_queue)queue, id) == -1)
		fatal("remove %s: %m", id);
	return true;
}

static bool
file_from_journal(const char *id, enum spool_queue to)
{
	struct search search;
	bool found = find_in_journal(&search, id);

	if (found) {
		const struct spool_record *record = &search.record;
		struct text envelope = { search.bytes + record->envelope_offset,
		    record->envelope_length, record->envelope_length };

		if (spool_file_commit(to, id, &envelope,
		    search.bytes + record->marks_offset, record->marks_length,
		    search.bytes + record->content_offset,
		    (size_t)record->content_length, -1, 0, 0) == -1)
			fatal("write %s/%s: %m", spool_queue_name(to), id);
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
		return file_from_journal(id, to);
	if (spool_file_move((enum spool_queue)queue, to, id) == -1)
		fatal("move %s to %s: %m", id, spool_queue_name(to));
	return true;
}

static bool
release_directly(const char *id)
{
	if (spool_file_find(id) != SPOOL_HOLD)
		return false;
	move_directly(id, SPOOL_DEFERRED);
	spool_file_set_retry(SPOOL_DEFERRED, id, (int64_t)time(NULL));
	return true;
}

/* To expire is to be tried once more, by a system that runs. */
static bool
operate_directly(const char *operation, const char *id)
{
	if (strcmp(operation, "delete") == 0)
		return delete_directly(id);
	if (strcmp(operation, "hold") == 0)
		return move_directly(id, SPOOL_HOLD);
	if (strcmp(operation, "requeue") == 0)
		return move_directly(id, SPOOL_MAILDROP);
	return strcmp(operation, "release") == 0 && release_directly(id);
}

void
queue_operate(const char *operation, char *const *ids, size_t count, bool *done)
{
	if (!queue_is_down()) {
		ask_qmgr(operation, ids, count, done);
		return;
	}
	settle_journal();
	for (size_t i = 0; i < count; i++)
		done[i] = operate_directly(operation, ids[i]);
}
