/*
 * journal - the writing side: group commit into recycled segments
 *
 * A commit is one pwrite and one fdatasync. The segment was written from end
 * to end when it was made, so the flush has no file system metadata to write.
 */

#include "spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/base.h"
#include "spool/internal.h"
#include "spool/unnamed.h"

/* A spare segment is made where so many more would find room. */
#define SPARE_ROOM	64

/*
 * A new segment goes to the disk in pieces of this size: whoever accepts mail
 * meanwhile waits for what is on its way there when his flush begins.
 */
#define PIECE	(1 << 18)

struct journal {
	int		 fd;		/* the segment that is ours, -1: none */
	int		 number;
	int64_t		 size;
	int64_t		 end;		/* where the next batch begins */
	uint64_t	 last_batch;
	uint64_t	 key;
	struct text	 batch;
	uint32_t	 records;
};

void
segment_path(char path[32], int number)
{
	snprintf(path, 32, "journal/%04d", number);
}

struct journal *
journal_new(void)
{
	struct journal *journal = mem_zalloc(1, sizeof(*journal));

	journal->fd = -1;
	return journal;
}

void
journal_free(struct journal **journal)
{
	if (*journal == NULL)
		return;
	fd_close(&(*journal)->fd);
	text_clear(&(*journal)->batch);
	free(*journal);
	*journal = NULL;
}

/* Lock the segment and look whether it is free. False if it is somebody's, or in use. */
static bool
try_segment(struct journal *journal, int number)
{
	struct segment_header header;
	char path[32];
	struct stat st;

	segment_path(path, number);

	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd == -1)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) == -1 ||
	    fd_pread_full(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header.magic, SEGMENT_MAGIC, 8) != 0 || header.in_use ||
	    fstat(fd, &st) == -1) {
		fd_close(&fd);
		return false;
	}

	/* Batches of this use are numbered above all that may still stand in it. */
	uint64_t floor = (uint64_t)clock_wall_us();

	if (floor <= header.floor + SEGMENT_SIZE)
		floor = header.floor + SEGMENT_SIZE + 1;
	header.in_use = 1;
	header.complete = 0;
	header.floor = floor;
	arc4random_buf(&header.key, sizeof(header.key));
	if (fd_pwrite_all(fd, &header, sizeof(header), 0) == -1) {
		fd_close(&fd);
		return false;
	}
	journal->fd = fd;
	journal->number = number;
	journal->size = st.st_size;
	journal->end = PAGE;
	journal->last_batch = floor;
	journal->key = header.key;
	return true;
}

static int
write_zeros(int fd, int64_t size)
{
	static char zeros[PIECE];

	for (int64_t at = 0; at < size; at += PIECE) {
		if (fd_pwrite_all(fd, zeros, PIECE, at) == -1)
			return -1;
		/* What went wrong it tells once: fsync(2) would not hear of it. */
		if (sync_file_range(fd, at, PIECE, SYNC_FILE_RANGE_WRITE |
		    SYNC_FILE_RANGE_WAIT_AFTER) == -1 && errno != ENOSYS)
			return -1;
	}
	return fd_pwrite_all(fd, &(struct segment_header){
	    .magic = SEGMENT_MAGIC }, sizeof(struct segment_header), 0);
}

/* A new segment: whole and durable before it has a name. */
static int
make_segment(int number, int64_t size)
{
	int directory = open("journal", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct unnamed file;
	char path[32];
	int result = -1;

	segment_path(path, number);
	if (unnamed_open(&file, "journal", 0600) != -1 && directory != -1 &&
	    write_zeros(file.fd, size) == 0 && fsync(file.fd) == 0 &&
	    unnamed_link(&file, path) == 0 && fsync(directory) == 0)
		result = 0;
	unnamed_close(&file);
	fd_close(&directory);
	return result;
}

/* Try the segments that are there, then make one more. */
static int
take_segment(struct journal *journal)
{
	int *numbers, count = segment_list(&numbers), highest = 0;
	bool found = false;

	if (count == -1)
		return -1;
	for (int i = 0; i < count && !found; i++) {
		highest = numbers[i];
		found = try_segment(journal, numbers[i]);
	}
	free(numbers);
	if (found)
		return 0;
	for (int number = highest + 1; number < highest + 10; number++) {
		if (make_segment(number, SEGMENT_SIZE) == -1 &&
		    (errno != ENOSPC || make_segment(number, SEGMENT_SMALL) == -1) &&
		    errno != EEXIST)
			return -1;
		if (try_segment(journal, number))
			return 0;
	}
	errno = EAGAIN;
	return -1;
}

/* Not the last of a small disk. */
static bool
has_much_room(void)
{
	struct statvfs fs;

	return statvfs("journal", &fs) == 0 && (int64_t)fs.f_bavail *
	    (int64_t)fs.f_frsize >= SPARE_ROOM * (int64_t)SEGMENT_SIZE;
}

int
journal_make_spare(void)
{
	int *numbers, count = segment_list(&numbers), highest = 0;
	bool found = false;

	for (int i = 0; i < count && !found; i++) {
		struct segment *segment = segment_open_to_look(numbers[i]);

		highest = numbers[i];
		found = segment != NULL && segment_is_free(segment);
		segment_close(&segment);
	}
	free(numbers);
	if (count == -1 || found || !has_much_room())
		return count == -1 ? -1 : 0;
	return make_segment(highest + 1, SEGMENT_SIZE) == 0 ||
	    errno == EEXIST ? 0 : -1;
}

int64_t
journal_backlog(void)
{
	int *numbers, count = segment_list(&numbers);
	int64_t total = 0;

	for (int i = 0; i < count; i++) {
		struct segment_header header;
		struct stat st;
		char path[32];
		int fd;

		segment_path(path, numbers[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd != -1 && fstat(fd, &st) == 0 && fd_pread_full(fd, &header,
		    sizeof(header), 0) == sizeof(header) && header.in_use &&
		    header.complete)
			total += st.st_size;
		fd_close(&fd);
	}
	free(numbers);
	return total;
}

int
journal_segment(struct journal *journal)
{
	if (journal->fd == -1 && take_segment(journal) == -1)
		return -1;
	return journal->number;
}

int
journal_reserve_id(struct journal *journal, char id[SPOOL_ID_SIZE])
{
	int segment = journal_segment(journal);

	if (segment == -1)
		return -1;
	spool_make_id(id, segment);
	return 0;
}

void
journal_append(struct journal *journal, const struct text *envelope,
    size_t recipients, const char *content, size_t content_length)
{
	struct text *batch = &journal->batch;
	uint32_t of_envelope = crc32c(0, envelope->bytes, envelope->length);
	uint32_t checksum = crc32c(of_envelope, content, content_length);

	if (batch->length == 0) {
		memset(text_reserve(batch, sizeof(struct batch_header)), 0,
		    sizeof(struct batch_header));
		batch->length += sizeof(struct batch_header);
	}
	text_reserve(batch, SPOOL_RECORD_HEADER + recipients +
	    envelope->length + content_length + PAGE);
	spool_record_header(batch->bytes + batch->length, recipients,
	    envelope->length, (int64_t)content_length, checksum, of_envelope);
	batch->length += SPOOL_RECORD_HEADER;
	memset(batch->bytes + batch->length, SPOOL_MARK_PENDING, recipients);
	batch->length += recipients;
	text_append(batch, envelope->bytes, envelope->length);
	text_append(batch, content, content_length);
	journal->records++;
}

/* Nobody appends to this segment any more; what was committed in it stays qmgr's. */
static void
leave_segment(struct journal *journal)
{
	fd_close(&journal->fd);
}

/* It is full, and whoever sent what lies in it has his answer. */
static void
complete_segment(struct journal *journal)
{
	static const uint8_t yes = 1;

	if (fd_pwrite_all(journal->fd, &yes, 1,
	    offsetof(struct segment_header, complete)) == -1)
		log_warning("journal/%04d: cannot note that it is complete: %m",
		    journal->number);
	leave_segment(journal);
}

/*
 * Its senders hear 451 and send again: as far as it is ours to say, nobody
 * shall find this batch. What the disk has kept of it, only a power cut would show.
 */
static void
unwrite_batch(struct journal *journal)
{
	static const char nothing[sizeof(struct batch_header)];
	int saved = errno;

	if (fd_pwrite_all(journal->fd, nothing, sizeof(nothing),
	    journal->end) == -1)
		log_warning("journal/%04d: cannot take back a batch that could "
		    "not be committed: %m; its mail may come twice",
		    journal->number);
	errno = saved;
}

static int
write_batch(struct journal *journal)
{
	struct text *batch = &journal->batch;
	struct batch_header header = {
		.magic = BATCH_MAGIC,
		.number = ++journal->last_batch,
		.segment = (uint32_t)journal->number,
		.records = journal->records,
		.length = batch->length,
		.key = journal->key,
	};
	int64_t padded = ((int64_t)batch->length + PAGE - 1) / PAGE * PAGE;

	header.checksum = crc32c(0, &header,
	    offsetof(struct batch_header, checksum));
	memcpy(batch->bytes, &header, sizeof(header));
	if (fd_pwrite_all(journal->fd, batch->bytes, batch->length,
	    journal->end) == -1 || fdatasync(journal->fd) == -1) {
		unwrite_batch(journal);
		return -1;
	}
	journal->end += padded;
	return 0;
}

int
journal_commit(struct journal *journal, int *segment, int64_t *end)
{
	int result = 0;

	if (journal->fd != -1 && journal->end + (int64_t)journal->batch.length >
	    journal->size)
		complete_segment(journal);
	if (journal_segment(journal) == -1)
		result = -1;
	else if (journal->end + (int64_t)journal->batch.length > journal->size) {
		errno = ENOSPC;		/* a small segment, a large batch */
		result = -1;
	} else if (write_batch(journal) == -1) {
		int saved = errno;

		leave_segment(journal);
		errno = saved;
		result = -1;
	} else {
		*segment = journal->number;
		*end = journal->end;
	}
	text_truncate(&journal->batch, 0);
	journal->records = 0;
	return result;
}
