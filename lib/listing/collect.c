/* collect - every message of the queue, from the spool and qmgr */

#include "listing/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "address/address.h"
#include "base/base.h"
#include "config/config.h"
#include "delivery/delivery.h"
#include "ipc/ipc.h"
#include "message/envelope.h"

/* qmgr is given up when it says nothing for this long. */
#define ANSWER_SECONDS	30

/* Of the envelope of a file that any user may have made more is not read. */
#define FRONT_MAX	(64 << 20)

/* What the first read takes of a file: header, marks and envelope of most. */
#define FRONT_USUAL	4096

struct collector {
	listing_callback *on_message;
	void		*context;
	unsigned int	 how;
	struct map	*underway;	/* ids that qmgr told: their files are not listed again */
	bool		 unread;	/* qmgr has no room for all: some of it is in the journal alone */
	const char	*only;		/* the id that is looked for; NULL: all */
	int		 file;		/* of the message at hand; -1: none */
	struct spool_record record;	/* of that file */
	struct ipc_bytes reasons;	/* qmgr's, of the message at hand */
	struct pool	*pool;		/* lives as long as the message at hand */
	char		*front;		/* its header, marks and envelope */
	size_t		 room;
};

static const char *
external(struct pool *pool, const char *address)
{
	char room[ADDRESS_EXTERNAL_SIZE];

	return pool_strdup(pool, address_external(room, address));
}

static void
learn_reasons(struct pool *pool, const char **reasons, size_t recipients,
    const char *bytes, size_t length)
{
	size_t count = 0;
	struct delivery_result *results = delivery_results_decode(pool, bytes,
	    length, &count);

	for (size_t i = 0; results != NULL && i < count; i++) {
		if ((size_t)results[i].number < recipients)
			reasons[results[i].number] = results[i].text;
	}
}

/* Reasons by recipient; "" where none is known. What qmgr says counts more than what its file remembers. */
static const char **
read_reasons(struct collector *collector, size_t recipients)
{
	struct pool *pool = collector->pool;
	const char **reasons = pool_alloc(pool,
	    (recipients + 1) * sizeof(*reasons));
	size_t length;

	for (size_t i = 0; i < recipients; i++)
		reasons[i] = "";

	char *bytes = collector->file == -1 ? NULL : spool_reasons_read(
	    collector->file, &collector->record, &length);

	if (bytes != NULL)
		learn_reasons(pool, reasons, recipients, bytes, length);
	learn_reasons(pool, reasons, recipients, collector->reasons.bytes,
	    collector->reasons.length);
	free(bytes);
	return reasons;
}

static void
tell_brief(struct collector *collector, const char *queue, const char *id)
{
	collector->on_message(&(struct listed_message){ .queue = queue,
	    .id = id, .sender = "", .login = "" }, collector->context);
}

/* Those recipients that are left; the pool is the collector's. */
static void
tell(struct collector *collector, struct listed_message *message,
    const struct envelope *envelope, const char *marks, size_t mark_count)
{
	struct pool *pool = collector->pool;
	const char **reasons;

	if (collector->how & LISTING_BRIEF) {
		tell_brief(collector, message->queue, message->id);
		return;
	}
	reasons = read_reasons(collector, envelope->recipient_count);
	message->arrival = envelope->arrival_us / 1000000;
	message->forced_expire =
	    memchr(marks, SPOOL_MARK_RETURN, mark_count) != NULL;
	message->login = envelope->login_sender;
	message->sender = *envelope->sender == '\0' ? "MAILER-DAEMON" :
	    external(pool, envelope->sender);
	message->recipients = pool_alloc(pool,
	    (envelope->recipient_count + 1) * sizeof(*message->recipients));
	for (size_t i = 0; i < envelope->recipient_count; i++) {
		const struct recipient *recipient = &envelope->recipients[i];

		if (i < mark_count && marks[i] == SPOOL_MARK_DONE)
			continue;
		message->recipients[message->recipient_count++] =
		    (struct listed_recipient){
			.original = external(pool, recipient->original),
			.address = external(pool, recipient->address),
			.reason = reasons[i],
		};
	}
	if (message->recipient_count > 0)
		collector->on_message(message, collector->context);
}

/* A record's front at bytes, under the name that its file has. */
static void
tell_front(struct collector *collector, const char *queue, const char *id)
{
	const struct spool_record *record = &collector->record;
	const char *bytes = collector->front;
	struct listed_message message = { .queue = queue, .id = id,
	    .size = record->content_length };
	struct envelope *envelope = envelope_decode(collector->pool,
	    bytes + record->envelope_offset, record->envelope_length);

	if (envelope != NULL)
		tell(collector, &message, envelope,
		    bytes + record->marks_offset, record->marks_length);
	pool_reset(collector->pool);
}

/* ----------------------------------------------------------- files */

static bool
has_room(struct collector *collector, size_t length)
{
	if (collector->room < length) {
		collector->front = mem_resize(collector->front, length, 1);
		collector->room = length;
	}
	return length <= FRONT_MAX;
}

/* One open and, for most, one read. 0, or -1: gone meanwhile, or damaged, of which qmgr speaks. */
static int
read_front(struct collector *collector, const char *path)
{
	struct spool_record *record = &collector->record;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC);
	ssize_t n = fd == -1 || !has_room(collector, FRONT_USUAL) ? -1 :
	    fd_pread_full(fd, collector->front, FRONT_USUAL, 0);

	collector->file = fd;

	if (n >= SPOOL_RECORD_HEADER &&
	    spool_record_parse(collector->front, record) == 0) {
		size_t wanted = (size_t)record->content_offset;

		if ((size_t)n < wanted && n == FRONT_USUAL &&
		    has_room(collector, wanted))
			n += fd_pread_full(fd, collector->front + n,
			    wanted - (size_t)n, n);
		if ((size_t)n >= wanted)
			return 0;
	}
	return -1;
}

static void
on_file(struct collector *collector, const char *queue, const char *path,
    const char *id)
{
	if (map_get(collector->underway, id) != NULL)
		return;
	if (collector->how & LISTING_BRIEF)
		tell_brief(collector, queue, id);
	else if (read_front(collector, path) == 0)
		tell_front(collector, queue, id);
	fd_close(&collector->file);
}

struct queue_walk {
	struct collector *collector;
	enum spool_queue  queue;
};

static void
on_queue_file(const char *id, void *context)
{
	struct queue_walk *walk = context;
	char path[64];

	spool_path(path, walk->queue, id);
	on_file(walk->collector, spool_queue_name(walk->queue), path, id);
}

/* A message of maildrop is a spool record too, under a name of its own. */
static void
collect_maildrop(struct collector *collector)
{
	DIR *directory = opendir("maildrop");
	struct dirent *entry;
	char path[300];

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (!spool_id_is_valid(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "maildrop/%s", entry->d_name);
		on_file(collector, "maildrop", path, entry->d_name);
	}
	if (directory != NULL)
		closedir(directory);
}

/* ----------------------------------------------------------- the journal, for what nobody else knows */

/* What qmgr told, and what has a file, has been listed: in the journal is its shadow. */
static bool
is_listed(const struct collector *collector, const char *id)
{
	return (collector->only != NULL && strcmp(id, collector->only) != 0) ||
	    map_get(collector->underway, id) != NULL ||
	    spool_file_find(id) != -1;
}

static void
on_journal(struct segment *segment, int64_t offset,
    const struct spool_record *record, const char *bytes, void *context)
{
	struct collector *collector = context;
	const char *marks = bytes + record->marks_offset;
	struct envelope *envelope = spool_all_done(marks,
	    record->marks_length) ? NULL : envelope_decode(collector->pool,
	    bytes + record->envelope_offset, record->envelope_length);

	if (envelope != NULL && spool_id_is_valid(envelope->queue_id) &&
	    !is_listed(collector, envelope->queue_id))
		tell(collector, &(struct listed_message){ .queue = "incoming",
		    .id = envelope->queue_id, .size = record->content_length },
		    envelope, marks, record->marks_length);
	pool_reset(collector->pool);
}

static void
collect_journal(struct collector *collector)
{
	int *numbers, count = segment_list(&numbers);

	for (int i = 0; i < count; i++) {
		struct segment *segment = segment_open_to_look(numbers[i]);

		if (segment != NULL)
			segment_scan(segment, 0, on_journal, collector);
		segment_close(&segment);
	}
	free(numbers);
}

/* ----------------------------------------------------------- what is on its way, as qmgr knows it */

static void
on_listed(struct collector *collector, const struct ipc_listed *listed)
{
	struct envelope *envelope = envelope_decode(collector->pool,
	    listed->envelope.bytes, listed->envelope.length);

	if (envelope != NULL && spool_id_is_valid(envelope->queue_id)) {
		map_set(collector->underway, envelope->queue_id, collector);
		collector->reasons = listed->reasons;
		if (!(collector->how & LISTING_BRIEF))
			collector->file = spool_file_open(SPOOL_DEFERRED,
			    envelope->queue_id, false, false,
			    &collector->record, NULL);
		tell(collector, &(struct listed_message){
		    .queue = listed->queue, .id = envelope->queue_id,
		    .size = envelope->size },
		    envelope, listed->marks.bytes, listed->marks.length);
	}
	fd_close(&collector->file);
	collector->reasons = (struct ipc_bytes){ 0 };
	pool_reset(collector->pool);
}

/* All that is on its way, or the message with this id. */
static int
ask_qmgr(struct collector *collector, const char *id)
{
	const struct timeval limit = { ANSWER_SECONDS, 0 };
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct ipc_listed listed;
	int fd = ipc_connect(config.queue_service_name, false), got = -1;

	if (fd != -1) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		ipc_encode_list(&packet, 1, &(struct ipc_list){ .queue_id = id });
		got = ipc_send(fd, &packet) == -1 ? -1 : 1;
	}
	while (got == 1 && (got = ipc_receive(fd, &packet, true)) == 1 &&
	    ipc_decode_listed(&packet, &listed) == 0)
		on_listed(collector, &listed);

	struct ipc_done done = { .reason = "" };
	int result = got == 1 && ipc_decode_done(&packet, &done) == 0 ? 0 : -1;

	collector->unread = strcmp(done.reason, "unread") == 0;
	if (result == -1)
		log_warning("the %s service does not say what is on its way: %m",
		    config.queue_service_name);
	ipc_packet_clear(&packet);
	fd_close(&fd);
	return result;
}

static void
collector_init(struct collector *collector, unsigned int how,
    listing_callback *on_message, void *context)
{
	*collector = (struct collector){ .on_message = on_message,
	    .context = context, .how = how, .file = -1, .underway = map_new(),
	    .pool = pool_new(0) };
}

static void
collector_clear(struct collector *collector)
{
	map_free(&collector->underway, NULL);
	pool_free(&collector->pool);
	free(collector->front);
}

int
listing_collect(unsigned int how, listing_callback *on_message, void *context)
{
	static const enum spool_queue queues[] = { SPOOL_INCOMING,
	    SPOOL_DEFERRED, SPOOL_HOLD };
	struct collector collector;
	int result = 0;

	collector_init(&collector, how, on_message, context);
	collect_maildrop(&collector);
	/* qmgr first: what it lets go meanwhile is found as a file. */
	if (!(how & LISTING_DOWN))
		result = ask_qmgr(&collector, "");
	for (size_t i = 0; i < COUNT_OF(queues); i++) {
		struct queue_walk walk = { &collector, queues[i] };

		spool_file_each(queues[i], on_queue_file, &walk);
	}
	if ((how & LISTING_DOWN) || collector.unread)
		collect_journal(&collector);
	collector_clear(&collector);
	return result;
}

/* Its file, where it lies. "" if it has none. */
static const char *
find_file(const char *id, char path[64])
{
	int queue = spool_file_find(id);

	snprintf(path, 64, "maildrop/%s", id);
	if (queue == -1)
		return access(path, F_OK) == 0 ? "maildrop" : "";
	if (queue == SPOOL_CORRUPT)
		return "";
	spool_path(path, (enum spool_queue)queue, id);
	return spool_queue_name((enum spool_queue)queue);
}

int
listing_find(unsigned int how, const char *id, listing_callback *on_message,
    void *context)
{
	struct collector collector;
	const char *queue;
	char path[64];
	int answered = 0;
	bool underway;

	collector_init(&collector, how, on_message, context);
	collector.only = id;
	if (!(how & LISTING_DOWN))
		answered = ask_qmgr(&collector, id);
	underway = map_count(collector.underway) > 0;
	queue = underway ? "" : find_file(id, path);
	if (*queue != '\0')
		on_file(&collector, queue, path, id);
	else if (!underway && ((how & LISTING_DOWN) || collector.unread))
		collect_journal(&collector);
	collector_clear(&collector);
	return answered;
}
