/*
 * journal - what becomes of the journal's segments once they are read
 *
 * Their marks are set in place and flushed, by the filer, every second; when
 * all in one is finished, and its marks are durable, it is free for use again.
 * When too many are in use, what has been in the oldest for long becomes files.
 */

#include "qmgr/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* Marks become durable with cleanup's next batch, or after this time. */
#define FLUSH_SECONDS	1

/* The size of most segments. With more of them in use than half of queue_journal_limit, the oldest one's messages become files. */
#define SEGMENT_BYTES	(16 << 20)

/* So many are kept whose owners died, at most; of the others' fates we only remember. */
#define KEPT_MAX	8

struct journal_segments journal_segments =
    TAILQ_HEAD_INITIALIZER(journal_segments);

static struct event *timer;

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
	arrivals_scan(home, 0, false);
	if (!TAILQ_EMPTY(&home->messages) || home->unread)
		return;
	if (segment_release(home->segment) == 0)
		home->used = home->is_followed = false;
	else if (errno != EBUSY) {
		log_warning("cannot free journal/%04d: %m; it is not used again",
		    segment_number(home->segment));
		home->is_lost = true;
	}
}

/*
 * It stays locked from the look to the release: a cleanup that took it in
 * between, as one does that starts beside us, would append to what we call free.
 */
void
journal_release_if_finished(struct journal_segment *home)
{
	if (home->owner != NULL || !TAILQ_EMPTY(&home->messages) ||
	    home->unread || segment_is_free(home->segment) || is_kept(home) ||
	    !segment_lock(home->segment))
		return;
	release_locked(home);
	segment_unlock(home->segment);
}

void
journal_keep_for_questions(struct journal_segment *home)
{
	struct journal_segment *other, *oldest = NULL;
	int64_t now = clock_ms();
	int kept = 0;

	if (!home->used && !home->unread)
		return;
	TAILQ_FOREACH(other, &journal_segments, next) {
		if (other->keep_until_ms <= now)
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

static void
on_spare(struct ipc_packet *packet, void *context)
{
	struct ipc_done done = { .error = EBADMSG };

	ipc_decode_done(packet, &done);
	if (done.error != 0)
		log_warning("cannot make a segment of the journal before it is "
		    "needed: %s; look at the disk", strerror((int)done.error));
}

void
journal_look_ahead(struct journal_segment *home, int64_t end)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	if (home->is_followed || end < SEGMENT_BYTES / 2)
		return;
	home->is_followed = true;
	ipc_encode_file_spare(&packet, 0, &(struct ipc_file_spare){
	    .segment = segment_number(home->segment) });
	filing_ask(&packet, on_spare, NULL);
}

static void
spill_oldest(void)
{
	struct journal_segment *home, *oldest = NULL;
	int used = 0;

	TAILQ_FOREACH(home, &journal_segments, next) {
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
		journal_release_if_finished(flush->home);
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

	TAILQ_FOREACH(home, &journal_segments, next) {
		if (segment_begin_flush(home->segment))
			ask_flush(home, waiter);
	}
}

void
journal_flush(void (*done)(void *context), void *context)
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
	TAILQ_FOREACH(home, &journal_segments, next) {
		if (home->failed)
			arrivals_read_on(home);
		journal_release_if_finished(home);
	}
	spill_oldest();
	event_add(timer, &again);
}

void
journal_start(void)
{
	timer = event_new(service_base, -1, 0, on_flush, NULL);
	on_flush(-1, 0, NULL);
}

/* ----------------------------------------------------------- of one message */

int
journal_segment_number(const struct message *message)
{
	return segment_number(message->segment->segment);
}

int
journal_read(struct message *message, int64_t at, void *bytes,
    size_t length)
{
	return segment_read(message->segment->segment, message->offset + at,
	    bytes, length);
}

void
journal_mark(struct message *message, size_t recipient, char mark)
{
	if (segment_mark(message->segment->segment, message->offset +
	    (int64_t)(message->record.marks_offset + recipient), mark) == -1)
		log_warning("%s: cannot mark a recipient done: %m; it may be "
		    "delivered again after a stop", message->id);
}

void
journal_finished(struct message *message)
{
	TAILQ_REMOVE(&message->segment->messages, message, in_segment);
	message->segment = NULL;
}
