/*
 * arrivals - the journal's segments, and what cleanup tells of them
 *
 * A notice says that there is more, up to here; what there is we read, as far
 * as there is room in memory. The rest stays where it lies, durable, until
 * there is: then we read on. The journal has a limit, at which cleanup puts
 * strangers' mail off.
 */

#include "qmgr/qmgr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* Marks become durable with cleanup's next batch, or after this time. */
#define FLUSH_SECONDS	1

/* So long is read in one go; then others have their turn. */
#define READ_MS		10

/* The size of most segments: with more of them in use than half of queue_journal_limit, the oldest one's messages become files. */
#define SEGMENT_BYTES	(16 << 20)

/* So many are kept whose owners died, at most; of the others' fates we only remember. */
#define KEPT_MAX	8

struct journal_segment {
	TAILQ_ENTRY(journal_segment) next;
	struct segment		*segment;
	struct ipc_channel	*owner;		/* the cleanup that appends to it, NULL: none that we know */
	TAILQ_HEAD(, message)	 messages;	/* not finished */
	bool			 telling;	/* cleanup told us; else we found it ourselves */
	bool			 starting;
	bool			 used;		/* there is a batch in it */
	bool			 unread;	/* there may be more than there was room for */
	bool			 failed;	/* ... or could be read: the timer tries again */
	int64_t			 end;		/* what is told so far, as segment_scan() has it */
	bool			 is_lost;	/* the disk refuses: nobody uses it again */
	int64_t			 keep_until_ms;	/* its owner died: its fates may be asked for */
};

static TAILQ_HEAD(, journal_segment) segments =
    TAILQ_HEAD_INITIALIZER(segments);
static struct event *flush_timer, *pace;

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
	struct message *message = message_new(record, bytes, false);

	home->used = true;
	if (message == NULL) {
		if (errno == EBADMSG)
			keep_unreadable(segment, offset, record, bytes);
		else if (errno == EALREADY && !home->telling)
			fates_remember_record(record, bytes);
		return;
	}
	message->segment = home;
	message->offset = offset;
	TAILQ_INSERT_TAIL(&home->messages, message, in_segment);
	if (!home->telling)
		message->perhaps_delivered = true;
	/* pickup may die as well as cleanup, and its successor asks again; so does sendmail. */
	fates_remember(message->envelope, home->telling &&
	    !text_starts_with(message->envelope->token, "maildrop/") &&
	    !text_starts_with(message->envelope->token, "submit/"));
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

/* Read as far as there is room, and time. */
static void
read_on(struct journal_segment *home)
{
	int64_t until = clock_ms() + READ_MS;
	int got = 1;

	home->unread = true;
	while (got == 1) {
		if (!message_has_room(false))
			return;
		if (clock_ms() > until) {
			event_active(pace, EV_TIMEOUT, 0);
			return;
		}
		got = segment_scan_batch(home->segment, home->end, on_message,
		    home);
	}
	if (got == -1 && !home->failed)
		log_warning("cannot read journal/%04d: %m; trying again, look at "
		    "the disk", segment_number(home->segment));
	home->failed = got == -1;
	home->unread = home->starting = false;
}

/* There is more: told by cleanup, up to end, or perhaps. What is left of before stays as it was found. */
static void
scan(struct journal_segment *home, int64_t end, bool telling)
{
	if (!home->unread) {
		home->telling = telling;
		home->end = end;
	} else if (home->end != 0) {
		home->end = end == 0 ? 0 : end > home->end ? end : home->end;
	}
	read_on(home);
}

/* What lies in it may still be asked for. */
static bool
is_kept(const struct journal_segment *home)
{
	return home->is_lost || (clock_ms() < home->keep_until_ms &&
	    !segment_is_complete(home->segment));
}

static void
release_locked(struct journal_segment *home)
{
	/* A batch that its owner committed just before he went is found now. */
	scan(home, 0, false);
	if (!TAILQ_EMPTY(&home->messages) || home->unread)
		return;
	if (segment_release(home->segment) == 0)
		home->used = false;
	else if (errno != EBUSY) {
		log_warning("cannot free journal/%04d: %m; it is not used again",
		    segment_number(home->segment));
		home->is_lost = true;
	}
}

/*
 * Finished and nobody's: cleanup may use it again. It stays locked from the
 * look to the release: a cleanup that took it in between, as one does that
 * starts beside us, would append to what we call free.
 */
static void
release_if_finished(struct journal_segment *home)
{
	if (home->owner != NULL || !TAILQ_EMPTY(&home->messages) ||
	    home->unread || segment_is_free(home->segment) || is_kept(home) ||
	    !segment_lock(home->segment))
		return;
	release_locked(home);
	segment_unlock(home->segment);
}

/*
 * Its owner died, and who submitted may ask. One that was never used holds no
 * fate: a cleanup that dies again and again must not fill the disk.
 */
static void
keep_for_questions(struct journal_segment *home)
{
	struct journal_segment *other, *oldest = NULL;
	int64_t now = clock_ms();
	int kept = 0;

	if (!home->used && !home->unread)
		return;
	TAILQ_FOREACH(other, &segments, next) {
		if (other->keep_until_ms <= now ||
		    other->keep_until_ms == INT64_MAX)
			continue;
		kept++;
		if (oldest == NULL ||
		    other->keep_until_ms < oldest->keep_until_ms)
			oldest = other;
	}
	if (kept >= KEPT_MAX)
		oldest->keep_until_ms = 0;
	home->keep_until_ms = now + FATE_SECONDS * 1000;
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
		home->starting = true;
		scan(home, 0, false);
		keep_for_questions(home);
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
		scan(home, 0, false);
		keep_for_questions(home);
		deferred_look_for_large();
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
	if (used <= config.queue_journal_limit / 2 / SEGMENT_BYTES ||
	    oldest == NULL)
		return;

	struct message *message;

	TAILQ_FOREACH(message, &oldest->messages, in_segment)
		place_spill(message);
}

/* ----------------------------------------------------------- flushes */

/* Somebody who waits until marks are durable. */
struct waiter {
	void	(*done)(void *context);
	void	*context;
	size_t	 flushes;
};

struct flush {
	struct journal_segment	*home;		/* NULL: of no segment */
	struct waiter		*waiter;
};

static void
on_flushed(struct ipc_packet *packet, void *context)
{
	struct flush *flush = context;
	struct ipc_done done = { .error = EBADMSG };

	ipc_decode_done(packet, &done);
	if (flush->home != NULL) {
		if (done.error != 0)
			log_warning("cannot make the marks of journal/%04d "
			    "durable: %s; look at the disk",
			    segment_number(flush->home->segment),
			    strerror((int)done.error));
		segment_end_flush(flush->home->segment, done.error == 0);
		release_if_finished(flush->home);
	}
	if (flush->waiter != NULL && --flush->waiter->flushes == 0) {
		flush->waiter->done(flush->waiter->context);
		free(flush->waiter);
	}
	free(flush);
}

static void
ask_flush(struct journal_segment *home, struct waiter *waiter)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct flush *flush = mem_zalloc(1, sizeof(*flush));

	flush->home = home;
	flush->waiter = waiter;
	if (waiter != NULL)
		waiter->flushes++;
	ipc_encode_file_flush(&packet, 0, &(struct ipc_file_flush){
	    .segment = home != NULL ? segment_number(home->segment) : 0 });
	filing_ask(&packet, on_flushed, flush);
}

static void
flush_all(struct waiter *waiter)
{
	struct journal_segment *home;

	TAILQ_FOREACH(home, &segments, next) {
		if (segment_begin_flush(home->segment))
			ask_flush(home, waiter);
	}
}

void
arrivals_flush(void (*done)(void *context), void *context)
{
	struct waiter *waiter = mem_zalloc(1, sizeof(*waiter));

	waiter->done = done;
	waiter->context = context;
	flush_all(waiter);
	/* The filer answers this one when all that was asked of it before is durable. */
	ask_flush(NULL, waiter);
}

static void
on_flush(int fd, short what, void *argument)
{
	const struct timeval again = { FLUSH_SECONDS, 0 };
	struct journal_segment *home;

	flush_all(NULL);
	TAILQ_FOREACH(home, &segments, next) {
		if (home->failed)
			read_on(home);
		release_if_finished(home);
	}
	spill_oldest();
	event_add(flush_timer, &again);
}

/* ----------------------------------------------------------- when, and who tells */

static void
on_pace(int fd, short what, void *argument)
{
	struct journal_segment *home;

	TAILQ_FOREACH(home, &segments, next) {
		if (home->unread)
			read_on(home);
	}
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

	flush_timer = event_new(service_base, -1, 0, on_flush, NULL);
	pace = event_new(service_base, -1, 0, on_pace, NULL);
	on_flush(-1, 0, NULL);
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
on_peeked(struct segment *segment, int64_t offset,
    const struct spool_record *record, const char *bytes, void *context)
{
	fates_remember_record(record, bytes);
}

void
arrivals_look(void)
{
	struct journal_segment *home;

	discover_segments();
	TAILQ_FOREACH(home, &segments, next) {
		scan(home, SEGMENT_IN_A_ROW, false);
		if (home->unread)
			segment_peek(home->segment, on_peeked, home);
	}
}

bool
arrivals_unread(void)
{
	const struct journal_segment *home;

	TAILQ_FOREACH(home, &segments, next) {
		if (home->unread)
			return true;
	}
	return false;
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
		deferred_arrived(file.queue_id);
	} else if (ipc_decode_fate(packet, &fate) == 0) {
		fates_tell(channel, packet, fate.token);
	} else {
		log_warning("a %s packet that cannot be read",
		    ipc_kind_name(ipc_packet_kind(packet)));
	}
}

void
arrivals_closed(struct ipc_channel *channel)
{
	disown(channel);
}

void
arrivals_pace(void)
{
	struct journal_segment *home;

	TAILQ_FOREACH(home, &segments, next) {
		if (home->unread && message_has_room(false)) {
			event_active(pace, EV_TIMEOUT, 0);
			return;
		}
	}
}

int
arrivals_segment_number(const struct message *message)
{
	return segment_number(message->segment->segment);
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
