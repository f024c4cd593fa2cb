/*
 * arrivals - the journal's segments, and what cleanup tells of them
 *
 * A notice says that there is more, up to here; what there is we read, as far
 * as there is room in memory. The rest stays where it lies, durable, until
 * there is: then we read on. The journal has a limit, at which cleanup puts
 * strangers' mail off.
 */

#include "qmgr/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* So long is read in one go; then others have their turn. */
#define READ_MS		10

static struct event *pace;

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
	patience_mail_came();
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

	TAILQ_FOREACH(home, &journal_segments, next) {
		if (segment_number(home->segment) == number)
			return home;
	}

	struct segment *segment = segment_open(number);

	if (segment == NULL) {
		log_warning("cannot open journal/%04d: %m", number);
		return NULL;
	}
	if (segment_is_cut(segment))
		log_warning("journal/%04d is shorter than it was made: mail "
		    "accepted then may be lost, look at the disk", number);
	home = mem_zalloc(1, sizeof(*home));
	home->segment = segment;
	TAILQ_INIT(&home->messages);
	TAILQ_INSERT_TAIL(&journal_segments, home, next);
	return home;
}

/* Read as far as there is room, and time. */
void
arrivals_read_on(struct journal_segment *home)
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

void
arrivals_scan(struct journal_segment *home, int64_t end, bool telling)
{
	if (!home->unread) {
		home->telling = telling;
		home->end = end;
	} else if (home->end != 0) {
		home->end = end == 0 ? 0 : end > home->end ? end : home->end;
	}
	arrivals_read_on(home);
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

		TAILQ_FOREACH(known, &journal_segments, next) {
			if (segment_number(known->segment) == numbers[i])
				break;
		}
		if (known != NULL || (home = find_segment(numbers[i])) == NULL)
			continue;
		home->starting = true;
		arrivals_scan(home, 0, false);
		journal_keep_for_questions(home);
	}
	free(numbers);
}

/* The owner goes on to another segment: this one is complete. */
static void
end_ownership(struct ipc_channel *channel)
{
	struct journal_segment *home;

	TAILQ_FOREACH(home, &journal_segments, next) {
		if (home->owner != channel)
			continue;
		home->owner = NULL;
		arrivals_scan(home, 0, true);
		journal_release_if_finished(home);
	}
}

/* The owner is gone, perhaps between a commit and its answer. */
static void
disown(struct ipc_channel *channel)
{
	struct journal_segment *home;

	TAILQ_FOREACH(home, &journal_segments, next) {
		if (home->owner != channel)
			continue;
		home->owner = NULL;
		arrivals_scan(home, 0, false);
		journal_keep_for_questions(home);
		deferred_look_for_large();
	}
	discover_segments();
}

/* ----------------------------------------------------------- when, and who tells */

static void
on_pace(int fd, short what, void *argument)
{
	struct journal_segment *home;

	TAILQ_FOREACH(home, &journal_segments, next) {
		if (home->unread)
			arrivals_read_on(home);
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

	pace = event_new(service_base, -1, 0, on_pace, NULL);
	journal_start();
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
	TAILQ_FOREACH(home, &journal_segments, next) {
		arrivals_scan(home, SEGMENT_IN_A_ROW, false);
		if (home->unread)
			segment_peek(home->segment, on_peeked, home);
	}
}

bool
arrivals_unread(void)
{
	const struct journal_segment *home;

	TAILQ_FOREACH(home, &journal_segments, next) {
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
		if (home != NULL) {
			journal_look_ahead(home, arrival.end);
			arrivals_scan(home, arrival.end, true);
		}
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

	TAILQ_FOREACH(home, &journal_segments, next) {
		if (home->unread && message_has_room(false)) {
			event_active(pace, EV_TIMEOUT, 0);
			return;
		}
	}
}
