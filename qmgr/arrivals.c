/* arrivals - the journal's segments, and what cleanup tells of them */

#include "qmgr/qmgr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* Marks become durable with cleanup's next batch, or after this time. */
#define FLUSH_SECONDS	1

/* With more segments in use than this, the oldest one's messages become files. */
#define SEGMENTS_MAX	32

/*
 * How long the fate of a submission is remembered that nobody told us of, and
 * how long a segment is kept whose owner died: who submitted may still ask.
 */
#define FATE_SECONDS	300

struct journal_segment {
	TAILQ_ENTRY(journal_segment) next;
	struct segment		*segment;
	struct ipc_channel	*owner;		/* the cleanup that appends to it, NULL: none that we know */
	TAILQ_HEAD(, message)	 messages;	/* not finished */
	bool			 telling;	/* cleanup told us; else we found it ourselves */
	bool			 starting;
	int64_t			 keep_until_ms;	/* its owner died: its fates may be asked for */
};

static TAILQ_HEAD(, journal_segment) segments =
    TAILQ_HEAD_INITIALIZER(segments);
static struct map *fates[2];		/* token to queue id; now and before */
static struct event *flush_timer, *fate_timer;
static TAILQ_HEAD(, paused) paused_channels =
    TAILQ_HEAD_INITIALIZER(paused_channels);

struct paused {
	TAILQ_ENTRY(paused)	 next;
	struct ipc_channel	*channel;
};

void
arrivals_remember(const struct envelope *envelope)
{
	if (*envelope->token == '\0')
		return;
	free(map_set(fates[0], envelope->token, mem_strdup(envelope->queue_id)));
}

/* Finished before we came: its submission may be asked for all the same. */
static void
remember_fate_of(const struct spool_record *record, const char *bytes)
{
	struct pool *pool = pool_new(0);
	const struct envelope *envelope = envelope_decode(pool,
	    bytes + record->envelope_offset, record->envelope_length);

	if (envelope != NULL)
		arrivals_remember(envelope);
	pool_free(&pool);
}

/* Its checksum is right but its envelope makes no sense: an error of ours, and not the message's end. */
static void
keep_unreadable(const struct segment *segment, int64_t offset,
    const struct spool_record *record, const char *bytes)
{
	char id[SPOOL_ID_SIZE];
	struct text envelope = TEXT_EMPTY;

	spool_make_id(id, segment_number(segment));
	text_append(&envelope, bytes + record->envelope_offset,
	    record->envelope_length);
	if (spool_file_commit(SPOOL_CORRUPT, id, &envelope,
	    bytes + record->marks_offset, record->marks_length,
	    bytes + record->content_offset, (size_t)record->content_length,
	    -1, 0, 0) == -1)
		log_error("a message at %lld of journal/%04d has an envelope that "
		    "cannot be read, and cannot be kept in corrupt: %m",
		    (long long)offset, segment_number(segment));
	else
		log_error("%s: its envelope cannot be read: kept in corrupt", id);
	text_clear(&envelope);
}

static void
on_message(struct segment *segment, int64_t offset,
    const struct spool_record *record, const char *bytes, void *context)
{
	struct journal_segment *home = context;
	struct message *message = message_new(record, bytes);

	if (message == NULL) {
		if (errno == EBADMSG)
			keep_unreadable(segment, offset, record, bytes);
		else if (errno == EALREADY && !home->telling)
			remember_fate_of(record, bytes);
		return;
	}
	message->segment = home;
	message->offset = offset;
	TAILQ_INSERT_TAIL(&home->messages, message, in_segment);
	if (!home->telling)
		message->perhaps_delivered = true;
	/* pickup may die as well as cleanup, and its successor asks again; so does sendmail. */
	if (!home->telling ||
	    text_starts_with(message->envelope->token, "maildrop/") ||
	    text_starts_with(message->envelope->token, "submit/"))
		arrivals_remember(message->envelope);
	/* Moved to a file just before a stop: the file is the message, this its shadow. */
	if (home->starting && spool_file_find(message->id) != -1) {
		message_forget_shadow(message);
		return;
	}
	message_activate(message);
}

static struct journal_segment *
find_segment(int number)
{
	struct journal_segment *home;

	TAILQ_FOREACH(home, &segments, next) {
		if (segment_number(home->segment) == number)
			return home;
	}

	struct segment *segment = segment_open(number);

	if (segment == NULL) {
		log_warning("cannot open journal/%04d: %m", number);
		return NULL;
	}
	home = mem_zalloc(1, sizeof(*home));
	home->segment = segment;
	TAILQ_INIT(&home->messages);
	TAILQ_INSERT_TAIL(&segments, home, next);
	return home;
}

static void
scan(struct journal_segment *home, int64_t end, bool telling)
{
	home->telling = telling;
	if (segment_scan(home->segment, end, on_message, home) == -1)
		log_warning("cannot read journal/%04d: %m; look at the disk",
		    segment_number(home->segment));
}

/* Finished and nobody's: cleanup may use it again. */
static void
release_if_finished(struct journal_segment *home)
{
	if (home->owner != NULL || !TAILQ_EMPTY(&home->messages) ||
	    clock_ms() < home->keep_until_ms ||
	    segment_is_owned(home->segment) || segment_is_free(home->segment))
		return;
	/* A batch that its owner committed just before he went is found now. */
	scan(home, 0, false);
	if (!TAILQ_EMPTY(&home->messages))
		return;
	if (segment_release(home->segment) == -1)
		log_warning("cannot free journal/%04d: %m",
		    segment_number(home->segment));
}

/*
 * A segment that we have not seen: a cleanup took it and told us nothing
 * before it died, or we have just started.
 */
static void
discover_segments(void)
{
	int *numbers, count = segment_list(&numbers);

	if (count == -1)
		log_warning("cannot list journal/: %m; run postroad set-permissions");
	for (int i = 0; i < count; i++) {
		struct journal_segment *home = NULL, *known;

		TAILQ_FOREACH(known, &segments, next) {
			if (segment_number(known->segment) == numbers[i])
				break;
		}
		if (known != NULL || (home = find_segment(numbers[i])) == NULL)
			continue;
		home->keep_until_ms = clock_ms() + FATE_SECONDS * 1000;
		home->starting = true;
		scan(home, 0, false);
		home->starting = false;
	}
	free(numbers);
}

/* The owner goes on to another segment: this one is complete. */
static void
end_ownership(struct ipc_channel *channel)
{
	struct journal_segment *home;

	TAILQ_FOREACH(home, &segments, next) {
		if (home->owner != channel)
			continue;
		home->owner = NULL;
		scan(home, 0, true);
		release_if_finished(home);
	}
}

/* The owner is gone, perhaps between a commit and its answer. */
static void
disown(struct ipc_channel *channel)
{
	struct journal_segment *home;

	TAILQ_FOREACH(home, &segments, next) {
		if (home->owner != channel)
			continue;
		home->owner = NULL;
		home->keep_until_ms = clock_ms() + FATE_SECONDS * 1000;
		scan(home, 0, false);
	}
	discover_segments();
}

static void
spill_oldest(void)
{
	struct journal_segment *home, *oldest = NULL;
	int used = 0;

	TAILQ_FOREACH(home, &segments, next) {
		if (TAILQ_EMPTY(&home->messages))
			continue;
		used++;
		if (home->owner == NULL && (oldest == NULL ||
		    TAILQ_FIRST(&home->messages)->envelope->arrival_us <
		    TAILQ_FIRST(&oldest->messages)->envelope->arrival_us))
			oldest = home;
	}
	if (used <= SEGMENTS_MAX || oldest == NULL)
		return;

	struct message *message, *next;

	TAILQ_FOREACH_SAFE(message, &oldest->messages, in_segment, next) {
		if (message_to_file(message, SPOOL_INCOMING) == -1)
			return;
	}
	release_if_finished(oldest);
}

static void
on_flush(int fd, short what, void *argument)
{
	const struct timeval again = { FLUSH_SECONDS, 0 };
	struct journal_segment *home;

	TAILQ_FOREACH(home, &segments, next) {
		if (segment_flush(home->segment) == -1)
			log_warning("cannot make the marks of journal/%04d "
			    "durable: %m; look at the disk",
			    segment_number(home->segment));
		release_if_finished(home);
	}
	spill_oldest();
	event_add(flush_timer, &again);
}

static void
on_fate_timer(int fd, short what, void *argument)
{
	const struct timeval again = { FATE_SECONDS, 0 };

	map_free(&fates[1], free);
	fates[1] = fates[0];
	fates[0] = map_new();
	event_add(fate_timer, &again);
}

static void
on_start(int fd, short what, void *argument)
{
	discover_segments();
}

void
arrivals_start(void)
{
	const struct timeval now = { 0, 0 };

	fates[0] = map_new();
	fates[1] = map_new();
	flush_timer = event_new(service_base, -1, 0, on_flush, NULL);
	fate_timer = event_new(service_base, -1, 0, on_fate_timer, NULL);
	on_flush(-1, 0, NULL);
	on_fate_timer(-1, 0, NULL);
	/* Once the loop runs, so that the sockets answer first. */
	event_base_once(service_base, -1, EV_TIMEOUT, on_start, NULL, &now);
}

/* cleanup began to append to another segment: the one before is complete. */
static struct journal_segment *
take_ownership(struct ipc_channel *channel, int number)
{
	struct journal_segment *home = find_segment(number);

	if (home == NULL || home->owner == channel)
		return home;
	end_ownership(channel);
	home->owner = channel;
	return home;
}

static void
tell_fate(struct ipc_channel *channel, struct ipc_packet *packet,
    const char *token)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct journal_segment *home;
	const char *id;

	/* Whoever died may have left a batch that nobody told us of; that he died we may not have heard. */
	discover_segments();
	TAILQ_FOREACH(home, &segments, next)
		scan(home, 0, false);
	deferred_discover();
	id = map_get(fates[0], token);
	if (id == NULL)
		id = map_get(fates[1], token);
	ipc_encode_fate_told(&reply, ipc_packet_request(packet),
	    &(struct ipc_fate_told){ .queue_id = id != NULL ? id : "" });
	ipc_channel_send(channel, &reply);
}

void
arrivals_packet(struct ipc_channel *channel, struct ipc_packet *packet)
{
	struct ipc_arrival arrival;
	struct ipc_arrival_file file;
	struct ipc_fate fate;
	struct journal_segment *home;

	if (ipc_decode_arrival(packet, &arrival) == 0) {
		home = take_ownership(channel, (int)arrival.segment);
		if (home != NULL)
			scan(home, arrival.end, true);
	} else if (ipc_decode_arrival_file(packet, &file) == 0 &&
	    spool_id_is_valid(file.queue_id)) {
		deferred_load(SPOOL_INCOMING, file.queue_id, false);
	} else if (ipc_decode_fate(packet, &fate) == 0) {
		tell_fate(channel, packet, fate.token);
		return;
	} else {
		log_warning("a %s packet that cannot be read",
		    ipc_kind_name(ipc_packet_kind(packet)));
	}
	if (message_count() >= (size_t)config.qmgr_message_active_limit) {
		struct paused *paused = mem_zalloc(1, sizeof(*paused));

		paused->channel = channel;
		TAILQ_INSERT_TAIL(&paused_channels, paused, next);
		ipc_channel_pause(channel);
	}
}

void
arrivals_closed(struct ipc_channel *channel)
{
	struct paused *paused, *next;

	TAILQ_FOREACH_SAFE(paused, &paused_channels, next, next) {
		if (paused->channel == channel) {
			TAILQ_REMOVE(&paused_channels, paused, next);
			free(paused);
		}
	}
	disown(channel);
}

void
arrivals_pace(void)
{
	struct paused *paused;

	/* Resume below nine tenths, so that a full queue does not stop and go with every message. */
	if (message_count() >=
	    (size_t)config.qmgr_message_active_limit / 10 * 9)
		return;
	while ((paused = TAILQ_FIRST(&paused_channels)) != NULL) {
		TAILQ_REMOVE(&paused_channels, paused, next);
		ipc_channel_resume(paused->channel);
		free(paused);
	}
}

int
segment_of_message_read(struct message *message, int64_t at, void *bytes,
    size_t length)
{
	return segment_read(message->segment->segment, message->offset + at,
	    bytes, length);
}

void
arrivals_mark(struct message *message, size_t recipient, char mark)
{
	if (segment_mark(message->segment->segment, message->offset +
	    (int64_t)(message->record.marks_offset + recipient), mark) == -1)
		log_warning("%s: cannot mark a recipient done: %m; it may be "
		    "delivered again after a stop", message->id);
}

void
arrivals_finished(struct message *message)
{
	TAILQ_REMOVE(&message->segment->messages, message, in_segment);
	message->segment = NULL;
}

void
arrivals_leave_segment(struct message *message)
{
	for (size_t i = 0; i < message->record.marks_length; i++) {
		if (message->states[i] != RECIPIENT_DONE)
			arrivals_mark(message, i, SPOOL_MARK_DONE);
	}
	arrivals_finished(message);
}
