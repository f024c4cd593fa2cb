/* store - durable first, then the answers, then the news to qmgr */

#include "cleanup/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "config/config.h"

/* Free space is looked at this often, not for every message. */
#define LOOK_EVERY_MS	1000

/* How full the journal is changes faster. */
#define LOOK_AT_JOURNAL_MS	200

static struct journal *journal;
static int qmgr = -1;

/*
 * What qmgr has not been told because it had no time. Nobody waits for it
 * here: deliveries that end in new mail (aliases, notices) would wait for us.
 */
static struct {
	bool		journal;	/* up to end of segment */
	int		segment;
	int64_t		end;
	struct text	files;		/* queue ids, a line each */
} untold;

void
store_open(void)
{
	journal = journal_new();
	/* The first segment now: making one takes longer than a client's patience for one message. */
	if (journal_segment(journal) == -1)
		log_warning("cannot take a segment of the journal: %m; mail is "
		    "refused until that works");
}

/* Below queue_minfree, or room for one and a half of the largest message, nothing is accepted. */
bool
store_has_room(void)
{
	static int64_t looked_ms;
	static bool has_room = true;
	struct statvfs fs;
	int64_t now = clock_ms(), least = config.queue_minfree;

	/* That there is room is true for a while; that there is none, only until somebody made some. */
	if (has_room && looked_ms != 0 && now - looked_ms < LOOK_EVERY_MS)
		return true;
	looked_ms = now;
	if (least == 0)
		least = config.message_size_limit / 2 * 3;
	if (statvfs(".", &fs) == -1)
		return has_room;

	bool had_room = has_room;

	has_room = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize >= least;
	if (had_room && !has_room)
		log_warning("not enough free space in mail queue: %lld bytes < %lld",
		    (long long)fs.f_bavail * (long long)fs.f_frsize,
		    (long long)least);
	return has_room;
}

int
store_make_id(char id[SPOOL_ID_SIZE])
{
	return journal_reserve_id(journal, id);
}

static void
refuse_for(struct submission *submission, int error)
{
	bool full = error == ENOSPC || error == EDQUOT;

	submission->status = 0;
	submission_refuse(submission, full ? 452 : 451, full ? "4.3.1" : "4.3.0",
	    full ? "Insufficient system storage" :
	    "Error: queue file write error");
}

static void
write_file(struct submission *submission, const struct text *envelope,
    enum spool_queue queue)
{
	size_t recipients = submission->envelope->recipient_count;
	char *marks = mem_alloc(recipients);
	struct text content = TEXT_EMPTY;
	int64_t rest = submission->file_length - (int64_t)submission->head_length;

	memset(marks, SPOOL_MARK_PENDING, recipients);
	text_append(&content, submission->header.bytes,
	    submission->header.length);
	text_append(&content, submission->head + submission->body,
	    submission->head_length - submission->body);
	if (spool_file_commit(queue, submission->id, envelope, marks,
	    recipients, content.bytes, content.length, submission->file,
	    (int64_t)submission->head_length, rest) == -1) {
		log_warning("%s: cannot write it into %s: %m", submission->id,
		    spool_queue_name(queue));
		refuse_for(submission, errno);
	} else {
		submission->in_file = queue == SPOOL_INCOMING;
		submission_refuse(submission, 250, "2.0.0", "Ok");
	}
	text_clear(&content);
	free(marks);
}

static void
write_journal(struct submission *submission, const struct text *envelope)
{
	struct text *content = &submission->header;

	text_append(content, submission->head + submission->body,
	    submission->head_length - submission->body);
	journal_append(journal, envelope,
	    submission->envelope->recipient_count, content->bytes,
	    content->length);
	submission->in_journal = true;
}

void
store_add(struct submission *submission)
{
	struct envelope *envelope = submission->envelope;
	struct text records = TEXT_EMPTY;
	int64_t length;

	if (submission->status != 0)
		return;
	log_info("%s: message-id=%s", submission->id,
	    *envelope->message_id != '\0' ? envelope->message_id : "<>");
	if (envelope->flags & ENVELOPE_DISCARD) {
		submission_refuse(submission, 250, "2.0.0", "Ok");
		return;
	}
	length = (submission->file != -1 ? submission->file_length :
	    (int64_t)submission->head_length) - (int64_t)submission->body +
	    (int64_t)submission->header.length;
	envelope->size = length;
	if (*envelope->unique == '\0')
		envelope->unique = pool_printf(submission->pool, "%lld.Q%s",
		    (long long)(envelope->arrival_us / 1000000), submission->id);
	if (envelope->unique == NULL)
		envelope->unique = submission->id;
	envelope_encode(envelope, &records);
	if (envelope->flags & ENVELOPE_HOLD)
		write_file(submission, &records, SPOOL_HOLD);
	else if (submission->file != -1 || length > IPC_INLINE_MAX)
		write_file(submission, &records, SPOOL_INCOMING);
	else
		write_journal(submission, &records);
	text_clear(&records);
}

static void
answer(struct submission *submission)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;

	ipc_encode_submit_result(&reply, 0, &(struct ipc_submit_result){
	    .queue_id = submission->status == 250 ? submission->id : "",
	    .status = submission->status,
	    .dsn = submission->dsn,
	    .reason = submission->reason });
	service_reply(submission->request, &reply);
}

/* Say it to qmgr, without waiting. A connection from before may be dead: then once more over a new one. */
static bool
tell(struct ipc_packet *packet)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		if (qmgr == -1)
			qmgr = ipc_connect(config.queue_service_name, true);
		if (qmgr == -1)
			break;
		if (ipc_send(qmgr, packet) == 0)
			return true;
		if (errno == EAGAIN || errno == ENOBUFS)
			return false;
		fd_close(&qmgr);
	}
	log_warning("cannot tell the %s service of new mail: %m; trying again",
	    config.queue_service_name);
	return false;
}

/* One notice says it for all batches before: qmgr reads on from where it was. */
static bool
tell_journal(void)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	if (untold.journal) {
		ipc_encode_arrival(&packet, 0, &(struct ipc_arrival){
		    .segment = untold.segment, .end = untold.end });
		untold.journal = !tell(&packet);
		ipc_packet_clear(&packet);
	}
	return !untold.journal;
}

static bool
tell_files(void)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	bool told = true;

	while (told && untold.files.length > 0) {
		char id[SPOOL_ID_SIZE];
		size_t length = strcspn(untold.files.bytes, "\n");

		snprintf(id, sizeof(id), "%.*s", (int)length, untold.files.bytes);
		ipc_encode_arrival_file(&packet, 0, &(struct ipc_arrival_file){
		    .queue = "incoming", .queue_id = id });
		told = tell(&packet);
		if (told)
			text_drop(&untold.files, length + 1);
	}
	ipc_packet_clear(&packet);
	return told;
}

bool
store_has_untold(void)
{
	if (tell_journal())
		tell_files();
	return untold.journal || untold.files.length > 0;
}

bool
store_is_ahead(void)
{
	static int64_t looked_ms;
	static bool is_ahead;
	int64_t now = clock_ms();

	if (looked_ms != 0 && now - looked_ms < LOOK_AT_JOURNAL_MS)
		return is_ahead;
	looked_ms = now;

	int64_t used = journal_backlog();
	bool was_ahead = is_ahead;

	is_ahead = used > config.queue_journal_limit;
	if (is_ahead && !was_ahead)
		log_warning("the journal is full: %lld bytes wait for their "
		    "delivery (queue_journal_limit is %lld); mail from outside "
		    "is put off", (long long)used,
		    (long long)config.queue_journal_limit);
	else if (was_ahead && !is_ahead)
		log_info("the journal has room again");
	return is_ahead;
}

int
store_ask_fate(const char *token, char id[SPOOL_ID_SIZE])
{
	static int connection = -1;
	struct ipc_packet question = IPC_PACKET_EMPTY, reply = IPC_PACKET_EMPTY;
	struct ipc_fate_told told;
	int result = -1;

	ipc_encode_fate(&question, 0, &(struct ipc_fate){ .token = token });
	if (ipc_call(&connection, config.queue_service_name, &question, &reply) == 0 &&
	    ipc_decode_fate_told(&reply, &told) == 0) {
		strlcpy(id, told.queue_id, SPOOL_ID_SIZE);
		result = 0;
	}
	ipc_packet_clear(&question);
	ipc_packet_clear(&reply);
	return result;
}

void
store_commit(struct submission *submissions, size_t count)
{
	bool any = false, committed = false;
	int64_t end = 0;
	int segment = -1, error = 0;

	for (size_t i = 0; i < count; i++)
		any |= submissions[i].in_journal;
	if (any) {
		committed = journal_commit(journal, &segment, &end) == 0;
		if (!committed) {
			error = errno;
			log_warning("cannot commit to the journal: %m");
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (submissions[i].in_journal && committed)
			submission_refuse(&submissions[i], 250, "2.0.0", "Ok");
		else if (submissions[i].in_journal)
			refuse_for(&submissions[i], error);
		answer(&submissions[i]);
	}
	/* Nobody who sent waits any longer: now qmgr hears of it. */
	if (committed) {
		untold.journal = true;
		untold.segment = segment;
		untold.end = end;
	}
	for (size_t i = 0; i < count; i++) {
		if (submissions[i].in_file)
			text_printf(&untold.files, "%s\n", submissions[i].id);
	}
	store_has_untold();
}
