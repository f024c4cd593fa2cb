/*
 * filer - qmgr's hand on the disk
 *
 * In       questions of qmgr, over a socket that only the two of them have
 * Out      an answer to each, once what was asked for is durable
 * Touches  journal/ (read, flush) incoming/ deferred/ hold/ maildrop/ corrupt/
 * Trusts   qmgr; of the files only their checksums
 * Killed   qmgr forks another and asks again: whatever was asked may be done
 *          twice. qmgr killed: what is in hand is ended, and only then, with
 *          the lock, the next qmgr begins
 *
 * Disks block, and qmgr has thousands of deliveries to look after. So it asks,
 * and goes on. All questions that wait are one batch: what is only read is
 * answered first, then all changes are made together (spool/change.h), so
 * that they share their flushes, then what administrators ask for, then the
 * flushes of the journal. About one message there is never more than one
 * question of qmgr's own, so the order between kinds is free.
 */

#include "qmgr/filing/filer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "ipc/ipc.h"
#include "qmgr/filing/walk.h"
#include "sandbox/sandbox.h"
#include "service/service.h"
#include "spool/change.h"
#include "spool/spool.h"
#include "spool/unnamed.h"

enum { BATCH = SPOOL_CHANGES_MAX };

static int peer = -1;

static void
answer(struct ipc_packet *question, struct ipc_packet *reply)
{
	ipc_packet_set_request(reply, ipc_packet_request(question));
	if (ipc_send(peer, reply) == -1 && errno != EPIPE)
		log_warning("cannot answer qmgr: %m");
	ipc_packet_clear(reply);
}

/* ----------------------------------------------------------- reading */

/* A file that helps nobody in the queue goes where the administrator looks. */
static void
keep_corrupt(enum spool_queue queue, const char *id)
{
	char path[64];

	if (spool_keep_corrupt(queue, id, path) == -1)
		log_warning("%s/%s is damaged, and cannot be moved to corrupt: %m",
		    spool_queue_name(queue), id);
	else
		log_warning("%s: damaged, moved to %s; see what can be saved "
		    "with postcat %s", id, path, path);
}

/* Is it a message of ours that lies here, and only here? 0 with its front, or an errno. */
static int
read_message(enum spool_queue queue, const char *id, bool whole,
    struct spool_record *record, struct stat *st, char **front)
{
	int fd = spool_file_open(queue, id, false, false, record, front);
	int error = fd == -1 ? errno : 0;

	if (fd == -1)
		return error;
	/* Small content is looked at, too: it costs nothing beside the opening. */
	if (fstat(fd, st) == -1)
		error = errno;
	else if (st->st_uid != geteuid() || ((whole ||
	    record->content_length <= IPC_INLINE_MAX) &&
	    !spool_content_is_whole(fd, record, *front)))
		error = EBADMSG;
	else if ((st->st_nlink > 1 && !spool_keep_one_name(queue, id)) ||
	    spool_all_done(*front + record->marks_offset, record->marks_length))
		error = ENOENT;
	fd_close(&fd);
	return error;
}

/* To be tried before its time: a stop from now on finds it among those that were tried. */
static int64_t
note_try(enum spool_queue queue, const char *id, int64_t retry_at)
{
	int64_t now = (int64_t)time(NULL);

	if (retry_at > now && queue == SPOOL_DEFERRED)
		spool_file_set_retry(queue, id, now);
	return retry_at;
}

static void
fetch(struct ipc_packet *packet, const struct ipc_file_fetch *asked)
{
	enum spool_queue queue = (enum spool_queue)asked->queue;
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct spool_record record;
	struct stat st;
	char *front = NULL;
	struct ipc_file_fetched fetched = {
		.error = read_message(queue, asked->queue_id, asked->whole != 0,
		    &record, &st, &front),
	};

	if (fetched.error == EBADMSG) {
		keep_corrupt(queue, asked->queue_id);
	} else if (fetched.error == ENOENT && front != NULL &&
	    spool_all_done(front + record.marks_offset, record.marks_length)) {
		spool_file_remove(queue, asked->queue_id);
	} else if (fetched.error == 0) {
		fetched.retry_at = note_try(queue, asked->queue_id,
		    (int64_t)st.st_mtim.tv_sec);
		fetched.warned = (st.st_mode & S_ISVTX) != 0;
		fetched.front.bytes = front;
		fetched.front.length = (size_t)record.content_offset;
	}
	ipc_encode_file_fetched(&reply, 0, &fetched);
	answer(packet, &reply);
	free(front);
}

static void
read_for(struct ipc_packet *packet)
{
	struct ipc_file_fetch asked;
	struct ipc_file_walk walk;

	if (ipc_decode_file_fetch(packet, &asked) == 0) {
		fetch(packet, &asked);
	} else if (ipc_decode_file_walk(packet, &walk) == 0) {
		struct ipc_packet reply = IPC_PACKET_EMPTY;

		walk_next(&walk, &reply);
		answer(packet, &reply);
	}
}

/* ----------------------------------------------------------- changing */

static bool
read_change(struct ipc_packet *packet, struct spool_change *change)
{
	struct ipc_file_change asked;

	if (ipc_decode_file_change(packet, &asked) == -1)
		return false;
	*change = (struct spool_change){
		.id = asked.queue_id, .from = (int)asked.from,
		.to = (int)asked.to, .segment = (int)asked.segment,
		.offset = asked.offset, .retry_at = asked.retry_at,
		.warned = asked.warned != 0,
	};
	if (asked.marks.length > 0) {
		change->marks = asked.marks.bytes;
		change->marks_length = asked.marks.length;
	}
	if (asked.reasons.length > 0) {
		change->reasons = asked.reasons.bytes;
		change->reasons_length = asked.reasons.length;
	}
	return true;
}

static void
make_changes(struct ipc_packet *packets, size_t count)
{
	static struct spool_change changes[BATCH];
	static struct ipc_packet *asked[BATCH];
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (read_change(&packets[i], &changes[n]))
			asked[n++] = &packets[i];
	}
	spool_change_all(changes, n);
	for (size_t i = 0; i < n; i++) {
		struct ipc_packet reply = IPC_PACKET_EMPTY;

		ipc_encode_file_changed(&reply, 0,
		    &(struct ipc_file_changed){ .error = changes[i].error });
		answer(asked[i], &reply);
	}
}

/* ----------------------------------------------------------- what administrators ask for */

/* What is pending is to be returned. Gives the marks, released with free(3); NULL if there is no such file. */
static char *
marks_to_return(enum spool_queue queue, const char *id, size_t *length)
{
	struct spool_record record;
	char *front, *marks;
	int fd = spool_file_open(queue, id, false, false, &record, &front);

	if (fd == -1)
		return NULL;
	fd_close(&fd);
	marks = mem_alloc(record.marks_length + 1);
	memcpy(marks, front + record.marks_offset, record.marks_length);
	for (size_t i = 0; i < record.marks_length; i++) {
		if (marks[i] == SPOOL_MARK_PENDING)
			marks[i] = SPOOL_MARK_RETURN;
	}
	*length = record.marks_length;
	free(front);
	return marks;
}

/* What an operation is for a file in queue. False: nothing. */
static bool
plan(struct spool_change *change, const char *operation)
{
	int queue = change->from;

	if (strcmp(operation, "delete") == 0) {
		change->to = SPOOL_NOWHERE;
	} else if (strcmp(operation, "hold") == 0) {
		change->to = SPOOL_HOLD;
		return queue == SPOOL_INCOMING || queue == SPOOL_DEFERRED;
	} else if (strcmp(operation, "requeue") == 0) {
		change->to = SPOOL_MAILDROP;
		return queue != SPOOL_CORRUPT;
	} else if (strcmp(operation, "release") == 0) {
		change->to = SPOOL_DEFERRED;
		change->retry_at = (int64_t)time(NULL);
		return queue == SPOOL_HOLD;
	} else if (strcmp(operation, "expire") == 0) {
		change->to = queue;
		change->retry_at = (int64_t)time(NULL);
		if (queue == SPOOL_DEFERRED || queue == SPOOL_HOLD)
			change->marks = marks_to_return((enum spool_queue)queue,
			    change->id, &change->marks_length);
		return change->marks != NULL;
	} else {
		return false;
	}
	return true;
}

/* The ids of one packet, in as many steps as it takes. */
static void
operate(struct ipc_packet *packet, const struct ipc_queue_operation *asked)
{
	static struct spool_change changes[BATCH];
	struct text done = TEXT_EMPTY;
	char *list = mem_strndup(asked->queue_ids.bytes, asked->queue_ids.length);
	char *cursor = list, *id = list;
	struct ipc_packet reply = IPC_PACKET_EMPTY;

	while (id != NULL) {
		size_t place[BATCH], n = 0;

		while (n < BATCH && (id = word_next(&cursor, "\n")) != NULL) {
			changes[n] = (struct spool_change){ .id = id,
			    .from = spool_file_find(id) };
			place[n] = done.length;
			text_putc(&done, '-');
			n += changes[n].from != -1 &&
			    plan(&changes[n], asked->operation);
		}
		spool_change_all(changes, n);
		for (size_t i = 0; i < n; i++) {
			if (changes[i].error == 0)
				done.bytes[place[i]] = '+';
			else
				log_warning("%s: cannot %s it: %s", changes[i].id,
				    asked->operation, strerror(changes[i].error));
			if (strcmp(asked->operation, "expire") == 0)
				free((char *)(uintptr_t)changes[i].marks);
		}
	}
	ipc_encode_queue_operated(&reply, 0, &(struct ipc_queue_operated){
	    .done = { text_string(&done), done.length } });
	answer(packet, &reply);
	text_clear(&done);
	free(list);
}

static void
flush(struct ipc_packet *packet, const struct ipc_file_flush *asked)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct ipc_done done = { .reason = "" };

	if (asked->segment != 0 && segment_sync((int)asked->segment) == -1)
		done.error = errno;
	ipc_encode_done(&reply, 0, &done);
	answer(packet, &reply);
}

static void
make_spare(struct ipc_packet *packet)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct ipc_done done = { .reason = "" };

	if (journal_make_spare() == -1)
		done.error = errno;
	ipc_encode_done(&reply, 0, &done);
	answer(packet, &reply);
}

static void
obey(struct ipc_packet *packet)
{
	struct ipc_queue_operation operation;
	struct ipc_file_flush asked;
	struct ipc_file_spare spare;

	if (ipc_decode_queue_operation(packet, &operation) == 0)
		operate(packet, &operation);
	else if (ipc_decode_file_flush(packet, &asked) == 0)
		flush(packet, &asked);
	else if (ipc_decode_file_spare(packet, &spare) == 0)
		make_spare(packet);
}

/* ----------------------------------------------------------- the loop */

/* Of all that qmgr has open the filer needs the log, its socket and the lock. */
static void
close_others(int socket, int lock)
{
	unsigned int low = (unsigned int)(socket < lock ? socket : lock);
	unsigned int high = (unsigned int)(socket < lock ? lock : socket);

	if (low > SERVICE_LIFELINE_FD)
		close_range(SERVICE_LIFELINE_FD, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

static void
close_sandbox(void)
{
	static const struct sandbox_path paths[] = {
		{ "journal", true }, { "incoming", true }, { "deferred", true },
		{ "hold", true }, { "corrupt", true }, { "maildrop", true },
		{ NULL, false },
	};

	sandbox_enter("qmgr's filer", SANDBOX_READ | SANDBOX_WRITE |
	    SANDBOX_UNLINK | SANDBOX_THREADS, paths);
}

void
filer_run(int socket, int lock)
{
	static struct ipc_packet packets[BATCH];
	size_t count;

	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	peer = socket;
	service_stand_back(SERVICE_LAST);
	close_others(socket, lock);
	unnamed_sweep("journal");
	close_sandbox();
	for (size_t i = 0; i < BATCH; i++)
		packets[i].fd = -1;
	while (ipc_receive(peer, &packets[0], true) == 1) {
		for (count = 1; count < BATCH &&
		    ipc_receive(peer, &packets[count], false) == 1; count++)
			;
		for (size_t i = 0; i < count; i++)
			read_for(&packets[i]);
		make_changes(packets, count);
		for (size_t i = 0; i < count; i++)
			obey(&packets[i]);
		for (size_t i = 0; i < count; i++)
			ipc_packet_clear(&packets[i]);
		log_flush();
	}
	log_flush();
	_exit(0);
}
