/* segment - the reading side of the journal: batches become messages again */

#include "spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "spool/internal.h"

struct segment {
	int	 fd;
	int	 number;
	int64_t	 size;
	int64_t	 scanned;	/* all batches before this offset are known */
	uint64_t last_batch;
	uint64_t key;		/* of this use */
	bool	 looking;	/* damage is somebody else's to keep */
	bool	 marked;	/* there are marks that may not be durable */
	bool	 flushing;	/* somebody makes them so */
	bool	 spoilt;	/* a flush failed: what is durable nobody knows */
};

static int
compare_numbers(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int
segment_list(int **numbers)
{
	DIR *directory = opendir("journal");
	struct dirent *entry;
	int count = 0, room = 0;

	*numbers = NULL;
	if (directory == NULL)
		return -1;
	while ((entry = readdir(directory)) != NULL) {
		const char *error;
		int number = (int)strtonum(entry->d_name, 1, 99999999, &error);

		if (error != NULL)
			continue;
		if (count == room) {
			room = room > 0 ? room * 2 : 16;
			*numbers = mem_resize(*numbers, (size_t)room,
			    sizeof(**numbers));
		}
		(*numbers)[count++] = number;
	}
	closedir(directory);
	if (count > 0)
		qsort(*numbers, (size_t)count, sizeof(**numbers),
		    compare_numbers);
	return count;
}

static struct segment *
open_segment(int number, int how)
{
	char path[32];
	struct stat st;

	segment_path(path, number);

	int fd = open(path, how | O_CLOEXEC | O_NOFOLLOW);

	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_size < PAGE) {
		fd_close(&fd);
		errno = EBADMSG;
		return NULL;
	}

	struct segment *segment = mem_zalloc(1, sizeof(*segment));

	segment->fd = fd;
	segment->number = number;
	segment->size = st.st_size;
	segment->scanned = PAGE;
	return segment;
}

struct segment *
segment_open(int number)
{
	struct segment *segment = open_segment(number, O_RDWR);

	/* Whoever marked before us may have been killed before his flush. */
	if (segment != NULL)
		segment->marked = true;
	return segment;
}

bool
segment_is_cut(const struct segment *segment)
{
	return segment->size != SEGMENT_SIZE && segment->size != SEGMENT_SMALL;
}

struct segment *
segment_open_to_look(int number)
{
	struct segment *segment = open_segment(number, O_RDONLY);

	if (segment != NULL)
		segment->looking = true;
	return segment;
}

void
segment_close(struct segment **segment)
{
	if (*segment == NULL)
		return;
	fd_close(&(*segment)->fd);
	free(*segment);
	*segment = NULL;
}

int
segment_number(const struct segment *segment)
{
	return segment->number;
}

bool
segment_lock(struct segment *segment)
{
	return flock(segment->fd, LOCK_EX | LOCK_NB) == 0;
}

void
segment_unlock(struct segment *segment)
{
	flock(segment->fd, LOCK_UN);
}

/* A disk may stumble: what cannot be read the second time is lost. */
static bool
read_whole(struct segment *segment, void *bytes, size_t length, int64_t offset)
{
	ssize_t n = fd_pread_full(segment->fd, bytes, length, offset);

	if (n == -1) {
		log_warning("journal/%04d: cannot read at %lld: %m; trying once "
		    "more", segment->number, (long long)offset);
		n = fd_pread_full(segment->fd, bytes, length, offset);
	}
	return n == (ssize_t)length;
}

static int
read_segment_header(struct segment *segment, struct segment_header *header)
{
	if (!read_whole(segment, header, sizeof(*header), 0) ||
	    memcmp(header->magic, SEGMENT_MAGIC, 8) != 0) {
		errno = EBADMSG;
		return -1;
	}
	return 0;
}

bool
segment_is_free(struct segment *segment)
{
	struct segment_header header;

	return read_segment_header(segment, &header) == 0 && !header.in_use;
}

bool
segment_is_complete(struct segment *segment)
{
	struct segment_header header;

	return read_segment_header(segment, &header) == 0 && header.complete;
}

/* Read the header of a batch at offset; false if none of this use stands there. */
static bool
read_batch_header(struct segment *segment, int64_t offset, uint64_t floor,
    struct batch_header *header)
{
	return offset + (int64_t)sizeof(*header) <= segment->size &&
	    read_whole(segment, header, sizeof(*header), offset) &&
	    memcmp(header->magic, BATCH_MAGIC, 8) == 0 &&
	    header->checksum == crc32c(0, header,
	    offsetof(struct batch_header, checksum)) &&
	    header->segment == (uint32_t)segment->number &&
	    header->key == segment->key &&
	    header->number > floor && header->length >= sizeof(*header) &&
	    header->length <= (uint64_t)(segment->size - offset);
}

static bool
record_is_whole(const char *bytes, size_t room, struct spool_record *record)
{
	if (room < SPOOL_RECORD_HEADER ||
	    spool_record_parse(bytes, record) == -1 ||
	    record->length > (int64_t)room)
		return false;

	size_t covered = record->envelope_length + (size_t)record->content_length;

	return crc32c(0, bytes + record->envelope_offset, covered) ==
	    record->checksum;
}

static bool
batch_is_whole(const char *bytes, const struct batch_header *header)
{
	size_t at = sizeof(*header);
	struct spool_record record;

	for (uint32_t i = 0; i < header->records; i++) {
		if (!record_is_whole(bytes + at, header->length - at, &record))
			return false;
		at += (size_t)record.length;
	}
	return at == header->length;
}

/* The batch at offset, whole; NULL if there is none. Released with free(3). */
static char *
read_batch(struct segment *segment, int64_t offset, uint64_t floor,
    struct batch_header *header)
{
	if (!read_batch_header(segment, offset, floor, header))
		return NULL;

	char *bytes = mem_alloc(header->length);

	if (read_whole(segment, bytes, header->length, offset) &&
	    batch_is_whole(bytes, header))
		return bytes;
	free(bytes);
	return NULL;
}

/* The next whole batch of a higher number behind offset, 0 if there is none. */
static int64_t
find_batch_behind(struct segment *segment, int64_t offset, uint64_t floor)
{
	struct batch_header header;

	for (offset += PAGE; offset < segment->size; offset += PAGE) {
		char *bytes = read_batch(segment, offset, floor, &header);

		free(bytes);
		if (bytes != NULL)
			return offset;
	}
	return 0;
}

static void
keep_damage(struct segment *segment, int64_t from, int64_t to)
{
	char path[80];
	size_t length = (size_t)(to - from);
	char *bytes = mem_alloc(length);

	snprintf(path, sizeof(path), "corrupt/journal-%04d-%lld",
	    segment->number, (long long)from);

	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd != -1 &&
	    fd_pread_full(segment->fd, bytes, length, from) == (ssize_t)length &&
	    fd_write_all(fd, bytes, length) == 0 && fsync(fd) == 0)
		log_warning("journal/%04d is damaged at %lld: kept in %s; mail "
		    "accepted then may be lost, look at the disk",
		    segment->number, (long long)from, path);
	else if (errno != EEXIST)
		log_warning("journal/%04d is damaged at %lld, and cannot be "
		    "kept in %s: %m", segment->number, (long long)from, path);
	fd_close(&fd);
	free(bytes);
}

static void
tell_messages(struct segment *segment, int64_t offset, const char *bytes,
    const struct batch_header *header, segment_message_callback *on_message,
    void *context)
{
	size_t at = sizeof(*header);
	struct spool_record record;

	for (uint32_t i = 0; i < header->records; i++) {
		spool_record_parse(bytes + at, &record);
		on_message(segment, offset + (int64_t)at, &record, bytes + at,
		    context);
		at += (size_t)record.length;
	}
}

/* Where the next batch is: 1, and segment->scanned is moved behind damage; 0 if there is none. */
static int
find_batch(struct segment *segment, int64_t end, struct batch_header *header,
    char **bytes)
{
	int64_t next;

	if (end > 0 && segment->scanned >= end)
		return 0;
	*bytes = read_batch(segment, segment->scanned, segment->last_batch,
	    header);
	if (*bytes != NULL)
		return 1;
	next = end == SEGMENT_IN_A_ROW ? 0 : find_batch_behind(segment,
	    segment->scanned, segment->last_batch);
	if (next == 0)
		return 0;
	/*
	 * Its owner may have written both while we searched: now that the one
	 * behind is there, this one is whole, or will never be.
	 */
	*bytes = read_batch(segment, segment->scanned, segment->last_batch,
	    header);
	if (*bytes != NULL)
		return 1;
	if (!segment->looking)
		keep_damage(segment, segment->scanned, next);
	segment->scanned = next;
	return find_batch(segment, end, header, bytes);
}

int
segment_scan_batch(struct segment *segment, int64_t end,
    segment_message_callback *on_message, void *context)
{
	struct segment_header head;
	struct batch_header header;
	char *bytes;
	int64_t offset;

	if (read_segment_header(segment, &head) == -1)
		return -1;
	if (!head.in_use)
		return 0;
	segment->key = head.key;
	/* Used again since we last looked: from the start. */
	if (head.floor > segment->last_batch) {
		segment->last_batch = head.floor;
		segment->scanned = PAGE;
	}
	if (find_batch(segment, end, &header, &bytes) == 0)
		return 0;
	offset = segment->scanned;
	segment->last_batch = header.number;
	segment->scanned = offset +
	    ((int64_t)header.length + PAGE - 1) / PAGE * PAGE;
	tell_messages(segment, offset, bytes, &header, on_message, context);
	free(bytes);
	return 1;
}

int
segment_scan(struct segment *segment, int64_t end,
    segment_message_callback *on_message, void *context)
{
	int got;

	while ((got = segment_scan_batch(segment, end, on_message,
	    context)) == 1)
		;
	return got;
}

int
segment_peek(const struct segment *segment,
    segment_message_callback *on_message, void *context)
{
	struct segment copy = *segment;

	return segment_scan(&copy, SEGMENT_IN_A_ROW, on_message, context);
}

int
segment_read(struct segment *segment, int64_t offset, void *bytes,
    size_t length)
{
	ssize_t n = fd_pread_full(segment->fd, bytes, length, offset);

	if (n != -1 && (size_t)n != length)
		errno = EBADMSG;
	return n == (ssize_t)length ? 0 : -1;
}

int
segment_mark(struct segment *segment, int64_t offset, char mark)
{
	segment->marked = true;
	return fd_pwrite_all(segment->fd, &mark, 1, offset);
}

int
segment_mark_all(struct segment *segment, int64_t offset, size_t recipients)
{
	char *marks = mem_alloc(recipients + 1);
	int result;

	memset(marks, SPOOL_MARK_DONE, recipients);
	segment->marked = true;
	result = fd_pwrite_all(segment->fd, marks, recipients,
	    offset + SPOOL_RECORD_HEADER);
	free(marks);
	return result;
}

int
segment_flush(struct segment *segment)
{
	if (!segment->marked)
		return 0;
	if (fdatasync(segment->fd) == -1)
		return -1;
	segment->marked = false;
	return 0;
}

bool
segment_begin_flush(struct segment *segment)
{
	if (!segment->marked || segment->flushing || segment->spoilt)
		return false;
	segment->marked = false;
	segment->flushing = true;
	return true;
}

int
segment_sync(int number)
{
	char path[32];

	segment_path(path, number);

	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	int result = fd == -1 ? -1 : fdatasync(fd);

	fd_close(&fd);
	return result;
}

void
segment_end_flush(struct segment *segment, bool ok)
{
	segment->flushing = false;
	segment->spoilt |= !ok;
}

int
segment_release(struct segment *segment)
{
	struct segment_header header;

	if (segment->marked || segment->flushing || segment->spoilt) {
		errno = segment->spoilt ? EIO : EBUSY;
		return -1;
	}
	if (read_segment_header(segment, &header) == -1)
		return -1;
	header.in_use = 0;
	if (header.floor < segment->last_batch)
		header.floor = segment->last_batch;
	return fd_pwrite_all(segment->fd, &header, sizeof(header), 0);
}
