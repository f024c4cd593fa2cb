/* collect - every message of the queue, from the spool and qmgr */

#include "listing/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "address/address.h"
#include "base/base.h"
#include "config/config.h"
#include "delivery/delivery.h"
#include "ipc/ipc.h"
#include "message/envelope.h"

/* qmgr is given up when it says nothing for this long. */
#define ANSWER_SECONDS	30

/* Of the reasons of one message more is not read. */
#define REASONS_MAX	(64 << 20)

/* Nor of the envelope of a file that any user may have made. */
#define FRONT_MAX	(64 << 20)

struct collector {
	listing_callback	*on_message;
	void			*context;
	struct map		*seen;	/* ids, while a message may be met twice */
	enum spool_queue	 queue;
};

static const char *
external(struct pool *pool, const char *address)
{
	struct text text = TEXT_EMPTY;

	address_quote(&text, address);

	const char *copy = pool_strdup(pool, text_string(&text));

	text_clear(&text);
	return copy;
}

/* Reasons by recipient; "" where none is known. */
static const char **
read_reasons(struct pool *pool, const char *id, size_t recipients)
{
	const char **reasons = pool_alloc(pool,
	    (recipients + 1) * sizeof(*reasons));
	char path[64];
	size_t length, count = 0;

	for (size_t i = 0; i < recipients; i++)
		reasons[i] = "";
	snprintf(path, sizeof(path), "defer/%c/%s", id[0], id);

	char *bytes = file_read(path, REASONS_MAX, &length);
	struct delivery_result *results = bytes == NULL ? NULL :
	    delivery_results_decode(pool, bytes, length, &count);

	for (size_t i = 0; results != NULL && i < count; i++) {
		if ((size_t)results[i].number < recipients)
			reasons[results[i].number] = results[i].text;
	}
	free(bytes);
	return reasons;
}

static void
tell(struct collector *collector, const char *queue, const char *id,
    const struct envelope *envelope, const char *marks, size_t mark_count,
    int64_t size, bool force_expired)
{
	struct pool *pool = pool_new(0);
	struct listed_message message = {
		.queue = queue, .id = id, .size = size,
		.arrival = envelope->arrival_us / 1000000,
		.forced_expire = force_expired,
		.sender = *envelope->sender == '\0' ? "MAILER-DAEMON" :
		    external(pool, envelope->sender),
		.recipients = pool_alloc(pool, (envelope->recipient_count + 1) *
		    sizeof(*message.recipients)),
	};
	const char **reasons = read_reasons(pool, id,
	    envelope->recipient_count);

	for (size_t i = 0; i < envelope->recipient_count; i++) {
		const struct recipient *recipient = &envelope->recipients[i];

		if (i < mark_count && marks[i] != SPOOL_MARK_PENDING)
			continue;
		message.recipients[message.recipient_count++] =
		    (struct listed_recipient){
			.original = external(pool, recipient->original),
			.address = external(pool, recipient->address),
			.reason = reasons[i],
		};
	}
	if (message.recipient_count > 0)
		collector->on_message(&message, collector->context);
	pool_free(&pool);
}

/* False if this id was listed before. */
static bool
is_new(struct collector *collector, const char *id)
{
	return map_set(collector->seen, id, collector) == NULL;
}

static void
tell_front(struct collector *collector, const char *queue, const char *id,
    const struct spool_record *record, const char *bytes)
{
	struct pool *pool = pool_new(0);
	struct envelope *envelope = envelope_decode(pool,
	    bytes + record->envelope_offset, record->envelope_length);

	if (envelope != NULL && (id != NULL ||
	    spool_id_is_valid(envelope->queue_id))) {
		if (id == NULL)
			id = envelope->queue_id;
		if (memchr(bytes + record->marks_offset, SPOOL_MARK_PENDING,
		    record->marks_length) != NULL && is_new(collector, id))
			tell(collector, queue, id, envelope,
			    bytes + record->marks_offset, record->marks_length,
			    record->content_length, false);
	}
	pool_free(&pool);
}

static void
on_file(const char *id, void *context)
{
	struct collector *collector = context;
	struct spool_record record;
	char *front;
	int fd = spool_file_open(collector->queue, id, false, false, &record,
	    &front);

	if (fd == -1)
		return;		/* gone meanwhile, or damaged: qmgr says so */
	fd_close(&fd);
	tell_front(collector, spool_queue_name(collector->queue), id, &record,
	    front);
	free(front);
}

static void
on_journal(struct segment *segment, int64_t offset,
    const struct spool_record *record, const char *bytes, void *context)
{
	tell_front(context, "incoming", NULL, record, bytes);
}

static void
collect_journal(struct collector *collector)
{
	int *numbers, count = segment_list(&numbers);

	for (int i = 0; i < count; i++) {
		struct segment *segment = segment_open(numbers[i]);

		if (segment != NULL)
			segment_scan(segment, 0, on_journal, collector);
		segment_close(&segment);
	}
	free(numbers);
}

/* A message of maildrop is a spool record too, under a name of its own. */
static void
on_drop(struct collector *collector, const char *name)
{
	char path[300], header[SPOOL_RECORD_HEADER];
	struct spool_record record;
	char *front = NULL;

	snprintf(path, sizeof(path), "maildrop/%s", name);

	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd != -1 &&
	    fd_pread_full(fd, header, sizeof(header), 0) == sizeof(header) &&
	    spool_record_parse(header, &record) == 0 &&
	    record.content_offset < FRONT_MAX) {
		size_t length = (size_t)record.content_offset;

		front = mem_alloc(length + 1);
		if (fd_pread_full(fd, front, length, 0) == (ssize_t)length)
			tell_front(collector, "maildrop", name, &record, front);
	}
	free(front);
	fd_close(&fd);
}

static void
collect_maildrop(struct collector *collector)
{
	DIR *directory = opendir("maildrop");
	struct dirent *entry;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (spool_id_is_valid(entry->d_name))
			on_drop(collector, entry->d_name);
	}
	if (directory != NULL)
		closedir(directory);
}

static void
on_listed(struct collector *collector, const struct ipc_listed *listed)
{
	struct pool *pool = pool_new(0);
	struct envelope *envelope = envelope_decode(pool,
	    listed->envelope.bytes, listed->envelope.length);

	if (envelope != NULL && spool_id_is_valid(envelope->queue_id) &&
	    is_new(collector, envelope->queue_id))
		tell(collector, listed->queue, envelope->queue_id, envelope,
		    listed->marks.bytes, listed->marks.length, envelope->size,
		    listed->force_expired != 0);
	pool_free(&pool);
}

static int
ask_qmgr(struct collector *collector)
{
	const struct timeval limit = { ANSWER_SECONDS, 0 };
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct ipc_listed listed;
	int fd = ipc_connect(config.queue_service_name, false), got = -1;

	if (fd != -1) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		ipc_encode_list(&packet, 1, &(struct ipc_list){ .queue_id = "" });
		got = ipc_send(fd, &packet) == -1 ? -1 : 1;
	}
	while (got == 1 && (got = ipc_receive(fd, &packet, true)) == 1 &&
	    ipc_decode_listed(&packet, &listed) == 0)
		on_listed(collector, &listed);

	struct ipc_done done;
	int result = got == 1 && ipc_decode_done(&packet, &done) == 0 ? 0 : -1;

	if (result == -1)
		log_warning("the %s service does not say what is on its way: %m",
		    config.queue_service_name);
	ipc_packet_clear(&packet);
	fd_close(&fd);
	return result;
}

int
listing_collect(bool is_down, listing_callback *on_message, void *context)
{
	static const enum spool_queue queues[] = { SPOOL_INCOMING,
	    SPOOL_DEFERRED, SPOOL_HOLD };
	struct collector collector = { .on_message = on_message,
	    .context = context, .seen = map_new() };
	int result = 0;

	collect_maildrop(&collector);
	/* qmgr first: what it lets go meanwhile is found as a file. */
	if (!is_down)
		result = ask_qmgr(&collector);
	for (size_t i = 0; i < COUNT_OF(queues); i++) {
		collector.queue = queues[i];
		spool_file_each(queues[i], on_file, &collector);
	}
	/* Files first: the journal may still have the shadow of a file. */
	if (is_down)
		collect_journal(&collector);
	map_free(&collector.seen, NULL);
	return result;
}
