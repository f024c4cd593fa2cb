#include "spool/change.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "spool/internal.h"

/* Directories that a batch touched; a hashed queue has one for each first character. */
struct touched {
	struct {
		int	queue;
		char	letter;
		int	error;
	}	directories[SPOOL_CHANGES_MAX];
	size_t	count;
};

static size_t
find_touched(const struct touched *touched, int queue, const char *id)
{
	char letter = spool_queue_is_hashed(queue) ? id[0] : '\0';
	size_t i = 0;

	while (i < touched->count && (touched->directories[i].queue != queue ||
	    touched->directories[i].letter != letter))
		i++;
	return i;
}

static void
touch(struct touched *touched, int queue, const char *id)
{
	size_t i = find_touched(touched, queue, id);

	if (i < touched->count)
		return;
	touched->directories[i].queue = queue;
	touched->directories[i].letter =
	    spool_queue_is_hashed(queue) ? id[0] : '\0';
	touched->directories[i].error = 0;
	touched->count++;
}

static void
sync_touched(struct touched *touched)
{
	static int fds[SPOOL_CHANGES_MAX], errors[SPOOL_CHANGES_MAX];

	for (size_t i = 0; i < touched->count; i++) {
		fds[i] = spool_directory_open(touched->directories[i].queue,
		    &touched->directories[i].letter);
		errors[i] = fds[i] == -1 ? errno : 0;
	}
	fd_sync_all(fds, errors, touched->count);
	for (size_t i = 0; i < touched->count; i++) {
		touched->directories[i].error = errors[i];
		fd_close(&fds[i]);
	}
}

static int
touched_error(const struct touched *touched, int queue, const char *id)
{
	size_t i = find_touched(touched, queue, id);

	return i < touched->count ? touched->directories[i].error : 0;
}

static bool
is_move(const struct spool_change *change)
{
	return change->from >= 0 && change->to >= 0 &&
	    change->from != change->to;
}

static int
set_attributes(const struct spool_change *change)
{
	if (change->warned && spool_file_set_warned(change->file.fd) == -1)
		return -1;
	return spool_set_retry(change->file.fd, change->retry_at);
}

/* Marks, reasons and time of a file that stays a file. */
static int
rewrite(struct spool_change *change, int queue)
{
	struct spool_record record;

	change->file.fd = spool_file_open((enum spool_queue)queue, change->id,
	    true, false, &record, NULL);
	if (change->file.fd == -1)
		return -1;
	if (change->marks != NULL &&
	    change->marks_length != record.marks_length) {
		errno = EBADMSG;
		return -1;
	}
	if (change->marks != NULL && fd_pwrite_all(change->file.fd,
	    change->marks, change->marks_length,
	    (off_t)record.marks_offset) == -1)
		return -1;
	if (change->reasons != NULL && spool_reasons_write(change->file.fd,
	    &record, change->reasons, change->reasons_length) == -1)
		return -1;
	return set_attributes(change);
}

/* Most of a batch come from one segment: it stays open until another is asked for, or the end (0). */
static struct segment *
borrow_segment(int number)
{
	static struct segment *segment;

	if (segment != NULL && segment_number(segment) != number)
		segment_close(&segment);
	if (segment == NULL && number != 0)
		segment = segment_open(number);
	return segment;
}

/* The record as it stands in the journal, whole: 0, or -1 with errno. */
static int
read_record(const struct spool_change *change, struct spool_record *record,
    struct text *bytes)
{
	struct segment *segment = borrow_segment(change->segment);
	char header[SPOOL_RECORD_HEADER], *room;

	if (segment == NULL)
		return -1;
	errno = EBADMSG;
	if (segment_read(segment, change->offset, header,
	    sizeof(header)) == -1 || spool_record_parse(header, record) == -1 ||
	    record->length > SEGMENT_SIZE)
		return -1;
	room = text_reserve(bytes, (size_t)record->length);
	if (segment_read(segment, change->offset, room,
	    (size_t)record->length) == 0 &&
	    crc32c(0, room + record->envelope_offset,
	    (size_t)record->length - record->envelope_offset) ==
	    record->checksum) {
		bytes->length = (size_t)record->length;
		return 0;
	}
	errno = EBADMSG;
	return -1;
}

static int
make_directory(const struct spool_change *change)
{
	int fd = spool_directory_open(change->to, change->id);
	int result = fd == -1 ? -1 : 0;

	fd_close(&fd);
	return result;
}

static int
open_new(struct spool_change *change)
{
	char path[64];

	spool_directory_path(path, (enum spool_queue)change->to, change->id);
	if (unnamed_open(&change->file, path, 0700) != -1)
		return 0;
	return errno == ENOENT && make_directory(change) == 0 &&
	    unnamed_open(&change->file, path, 0700) != -1 ? 0 : -1;
}

/* A copy of the journal's record, with the marks and reasons of now; the disk begins to write it. */
static int
copy_record(struct spool_change *change)
{
	struct spool_record record;
	struct text bytes = TEXT_EMPTY;
	int result = read_record(change, &record, &bytes);

	if (result == 0) {
		change->recipients = record.marks_length;
		if (change->marks != NULL &&
		    change->marks_length == record.marks_length)
			memcpy(bytes.bytes + record.marks_offset, change->marks,
			    record.marks_length);
		if (change->reasons != NULL)
			spool_reasons_append(&bytes, change->reasons,
			    change->reasons_length);
		if (open_new(change) == -1 || fd_write_all(change->file.fd,
		    bytes.bytes, bytes.length) == -1 ||
		    set_attributes(change) == -1)
			result = -1;
	}
	text_clear(&bytes);
#ifdef SYNC_FILE_RANGE_WRITE
	/* All of a batch are under way before the first is waited for. */
	if (result == 0)
		sync_file_range(change->file.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
#endif
	return result;
}

/* A file takes a third of a millisecond, and its maker should not be in anybody's way for longer than one. */
static int
prepare(struct spool_change *change)
{
	sched_yield();
	change->file = (struct unnamed){ .fd = -1 };
	if (is_move(change) && make_directory(change) == -1)
		return -1;
	if (change->from == SPOOL_JOURNAL)
		return copy_record(change);
	if (change->to == SPOOL_NOWHERE ||
	    (change->marks == NULL && change->reasons == NULL &&
	    change->retry_at == 0))
		return 0;
	if (rewrite(change, change->from) == 0)
		return 0;
	/* Moved before a stop? */
	return errno == ENOENT && is_move(change) ?
	    rewrite(change, change->to) : -1;
}

/* The time alone need not survive: without it a message is merely tried sooner. */
static void
sync_written(struct spool_change *changes, size_t count)
{
	int *fds = mem_resize(NULL, count + 1, sizeof(*fds));
	int *errors = mem_zalloc(count + 1, sizeof(*errors));

	for (size_t i = 0; i < count; i++)
		fds[i] = changes[i].error == 0 &&
		    (changes[i].from == SPOOL_JOURNAL ||
		    changes[i].marks != NULL) ? changes[i].file.fd : -1;
	fd_sync_all(fds, errors, count);
	for (size_t i = 0; i < count; i++) {
		if (errors[i] != 0)
			changes[i].error = errors[i];
	}
	free(errors);
	free(fds);
}

/* The file is durable; now its name. There already: it was, before a stop, and needs only its marks. */
static int
give_name(struct spool_change *change)
{
	char path[64], old[64];

	sched_yield();
	if (change->to < 0)
		return 0;
	spool_path(path, (enum spool_queue)change->to, change->id);
	if (change->from == SPOOL_JOURNAL) {
		if (unnamed_link(&change->file, path) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
		unnamed_close(&change->file);
		return rewrite(change, change->to) == 0 ?
		    fsync(change->file.fd) : -1;
	}
	if (!is_move(change))
		return 0;
	/* A rename may survive a power cut as either half; a link cannot lose the message. */
	spool_path(old, (enum spool_queue)change->from, change->id);
	if (link(old, path) == 0 || errno == EEXIST)
		return 0;
	return errno == ENOENT && access(path, F_OK) == 0 ? 0 : -1;
}

/* It could not be removed: then at least all that find it know that it is done. */
static int
mark_all_done(struct spool_change *change)
{
	struct spool_record record;
	int saved = errno, result = -1;
	int fd = spool_file_open((enum spool_queue)change->from, change->id,
	    true, false, &record, NULL);

	if (fd != -1) {
		char *marks = mem_alloc(record.marks_length + 1);

		memset(marks, SPOOL_MARK_DONE, record.marks_length);
		if (fd_pwrite_all(fd, marks, record.marks_length,
		    (off_t)record.marks_offset) == 0)
			result = fsync(fd);
		free(marks);
	}
	fd_close(&fd);
	errno = saved;
	return result;
}

/* The journal's copies are finished: their marks say so, durably. */
static void
finish_in_journal(struct spool_change *changes, size_t count)
{
	int last = 0, error = 0;

	for (size_t i = 0; i < count; i++) {
		struct segment *segment;

		if (changes[i].from != SPOOL_JOURNAL || changes[i].error != 0)
			continue;
		segment = borrow_segment(changes[i].segment);
		if (segment == NULL || segment_mark_all(segment,
		    changes[i].offset, changes[i].recipients) == -1)
			changes[i].error = errno;
	}
	for (size_t i = 0; i < count; i++) {
		if (changes[i].from != SPOOL_JOURNAL || changes[i].error != 0)
			continue;
		if (changes[i].segment != last)
			error = segment_sync(changes[i].segment) == -1 ? errno : 0;
		last = changes[i].segment;
		changes[i].error = error;
	}
	borrow_segment(0);
}

static void
leave_old_place(struct spool_change *change, struct touched *touched)
{
	char path[64];

	if (change->from < 0 || change->from == change->to)
		return;
	spool_path(path, (enum spool_queue)change->from, change->id);
	if (unlink(path) == 0)
		touch(touched, change->from, change->id);
	else if (errno != ENOENT &&
	    (change->to != SPOOL_NOWHERE || mark_all_done(change) == -1))
		change->error = errno;
}

/* What lies in a directory that could not be made durable is not there: the old place holds. */
static void
check_new_place(struct spool_change *change, const struct touched *touched)
{
	char path[64], old[64];

	change->error = touched_error(touched, change->to, change->id);
	if (change->error == 0 || change->from == change->to)
		return;
	spool_path(path, (enum spool_queue)change->to, change->id);
	if (change->from >= 0)
		spool_path(old, (enum spool_queue)change->from, change->id);
	if (change->from == SPOOL_JOURNAL || access(old, F_OK) == 0)
		unlink(path);
}

void
spool_change_all(struct spool_change *changes, size_t count)
{
	struct touched *touched = mem_zalloc(1, sizeof(*touched));

	for (size_t i = 0; i < count; i++)
		changes[i].error = prepare(&changes[i]) == -1 ? errno : 0;
	sync_written(changes, count);
	for (size_t i = 0; i < count; i++) {
		struct spool_change *change = &changes[i];

		if (change->error == 0 && give_name(change) == -1)
			change->error = errno;
		if (change->error == 0 && change->to >= 0 &&
		    change->from != change->to)
			touch(touched, change->to, change->id);
		unnamed_close(&change->file);
	}
	sync_touched(touched);
	for (size_t i = 0; i < count; i++) {
		if (changes[i].error == 0 && changes[i].to >= 0)
			check_new_place(&changes[i], touched);
	}
	finish_in_journal(changes, count);
	touched->count = 0;
	for (size_t i = 0; i < count; i++) {
		if (changes[i].error == 0)
			leave_old_place(&changes[i], touched);
	}
	sync_touched(touched);
	for (size_t i = 0; i < count; i++) {
		if (changes[i].error == 0 && changes[i].from >= 0 &&
		    changes[i].from != changes[i].to)
			changes[i].error = touched_error(touched,
			    changes[i].from, changes[i].id);
	}
	free(touched);
}

static int
change_one(struct spool_change change)
{
	spool_change_all(&change, 1);
	errno = change.error;
	return change.error == 0 ? 0 : -1;
}

int
spool_file_move(enum spool_queue from, enum spool_queue to, const char *id)
{
	return change_one((struct spool_change){ .id = id, .from = (int)from,
	    .to = (int)to });
}

int
spool_file_remove(enum spool_queue queue, const char *id)
{
	return change_one((struct spool_change){ .id = id, .from = (int)queue,
	    .to = SPOOL_NOWHERE });
}
