/* file - a message that waits, or is large, in a file of its own */

#include "spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "spool/internal.h"
#include "spool/unnamed.h"

#define COPY_SIZE	(256 << 10)

/* Sub-directories by the first character of the id, where many may wait. */
static const struct {
	const char	*name;
	bool		 hashed;
} queues[SPOOL_QUEUES] = {
	[SPOOL_INCOMING] = { "incoming", false },
	[SPOOL_DEFERRED] = { "deferred", true },
	[SPOOL_HOLD]	 = { "hold", false },
	[SPOOL_CORRUPT]	 = { "corrupt", false },
	[SPOOL_MAILDROP] = { "maildrop", false },
};

const char *
spool_queue_name(enum spool_queue queue)
{
	return queues[queue].name;
}

bool
spool_queue_is_hashed(int queue)
{
	return queues[queue].hashed;
}

void
spool_directory_path(char path[64], enum spool_queue queue, const char *id)
{
	if (queues[queue].hashed)
		snprintf(path, 64, "%s/%c", queues[queue].name, id[0]);
	else
		strlcpy(path, queues[queue].name, 64);
}

void
spool_path(char path[64], enum spool_queue queue, const char *id)
{
	spool_directory_path(path, queue, id);
	strlcat(path, "/", 64);
	strlcat(path, id, 64);
}

int
spool_directory_open(int queue, const char *id)
{
	char path[64];

	spool_directory_path(path, (enum spool_queue)queue, id);

	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd != -1 || errno != ENOENT || !queues[queue].hashed)
		return fd;
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return -1;

	int parent = open(queues[queue].name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int synced = parent == -1 ? -1 : fsync(parent);

	fd_close(&parent);
	return synced == -1 ? -1 :
	    open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int
spool_content_file(void)
{
	struct unnamed file;

	if (unnamed_open(&file, "incoming", 0600) == -1)
		return -1;

	int fd = fcntl(file.fd, F_DUPFD_CLOEXEC, 3);

	unnamed_close(&file);
	return fd;
}

/* Copy the content behind the envelope, and carry the checksum on. */
static int
copy_content(int to, int from, int64_t offset, int64_t length,
    uint32_t *checksum)
{
	char *room = mem_alloc(COPY_SIZE);
	int result = 0;

	while (length > 0 && result == 0) {
		size_t part = length > COPY_SIZE ? COPY_SIZE : (size_t)length;
		ssize_t n = fd_pread_full(from, room, part, offset);

		if (n != (ssize_t)part) {
			if (n != -1)
				errno = EBADMSG;
			result = -1;
			break;
		}
		*checksum = crc32c(*checksum, room, part);
		result = fd_write_all(to, room, part);
		offset += (int64_t)part;
		length -= (int64_t)part;
	}
	free(room);
	return result;
}

static int
write_message(int fd, const struct text *envelope, const char *marks,
    size_t recipients, const char *content, size_t content_length, int file,
    int64_t offset, int64_t length)
{
	char header[SPOOL_RECORD_HEADER];
	uint32_t of_envelope = crc32c(0, envelope->bytes, envelope->length);
	uint32_t checksum = of_envelope;
	off_t start = SPOOL_RECORD_HEADER;

	/* The header last: it holds the checksum of what follows. */
	if (lseek(fd, start, SEEK_SET) == -1 ||
	    fd_write_all(fd, marks, recipients) == -1 ||
	    fd_write_all(fd, envelope->bytes, envelope->length) == -1)
		return -1;
	checksum = crc32c(checksum, content, content_length);
	if (fd_write_all(fd, content, content_length) == -1 ||
	    (file != -1 &&
	    copy_content(fd, file, offset, length, &checksum) == -1))
		return -1;
	spool_record_header(header, recipients, envelope->length,
	    (int64_t)content_length + (file != -1 ? length : 0), checksum,
	    of_envelope);
	return fd_pwrite_all(fd, header, sizeof(header), 0);
}

int
spool_file_commit(enum spool_queue queue, const char *id,
    const struct text *envelope, const char *marks, size_t recipients,
    const char *content, size_t content_length, int content_file,
    int64_t offset, int64_t length)
{
	char directory[64], path[64];
	int parent = spool_directory_open(queue, id), result = -1;
	struct unnamed file = { .fd = -1 };

	spool_directory_path(directory, queue, id);
	spool_path(path, queue, id);
	if (parent != -1 && unnamed_open(&file, directory, 0700) != -1 &&
	    write_message(file.fd, envelope, marks, recipients, content,
	    content_length, content_file, offset, length) == 0 &&
	    fsync(file.fd) == 0 && unnamed_link(&file, path) == 0) {
		result = fsync(parent);
		if (result == -1) {
			int saved = errno;

			unlink(path);
			errno = saved;
		}
	}
	unnamed_close(&file);
	fd_close(&parent);
	return result;
}

/* Read all of it; what is shorter is damaged. */
static int
read_exactly(int fd, char *bytes, size_t length)
{
	ssize_t n = fd_pread_full(fd, bytes, length, 0);

	if (n >= 0 && (size_t)n != length)
		errno = EBADMSG;
	return n == (ssize_t)length ? 0 : -1;
}

static bool
front_is_whole(const char *front, const struct spool_record *record)
{
	const char *marks = front + record->marks_offset;

	for (size_t i = 0; i < record->marks_length; i++) {
		if (!spool_mark_waits(marks[i]) && marks[i] != SPOOL_MARK_OWED &&
		    marks[i] != SPOOL_MARK_DONE)
			return false;
	}
	return record->envelope_checksum == -1 ||
	    record->envelope_checksum == crc32c(0,
	    front + record->envelope_offset, record->envelope_length);
}

static int
read_header(int fd, struct spool_record *record)
{
	char header[SPOOL_RECORD_HEADER];
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (S_ISREG(st.st_mode)) {
		if (read_exactly(fd, header, sizeof(header)) == -1)
			return -1;
		if (spool_record_parse(header, record) == 0 &&
		    (st.st_size == record->length ||
		    (st.st_size > record->length &&
		    spool_reasons_follow(fd, record))))
			return 0;
	}
	errno = EBADMSG;
	return -1;
}

static char *
read_front(int fd, const struct spool_record *record)
{
	char *bytes = mem_alloc((size_t)record->content_offset + 1);

	if (read_exactly(fd, bytes, (size_t)record->content_offset) == 0) {
		if (front_is_whole(bytes, record))
			return bytes;
		errno = EBADMSG;
	}
	free(bytes);
	return NULL;
}

bool
spool_content_is_whole(int fd, const struct spool_record *record,
    const char *front)
{
	uint32_t checksum = crc32c(0, front + record->envelope_offset,
	    record->envelope_length);
	char *room = mem_alloc(COPY_SIZE);
	int64_t at = record->content_offset, left = record->content_length;

	while (left > 0) {
		size_t part = left > COPY_SIZE ? COPY_SIZE : (size_t)left;

		if (fd_pread_full(fd, room, part, at) != (ssize_t)part)
			break;
		checksum = crc32c(checksum, room, part);
		at += (int64_t)part;
		left -= (int64_t)part;
	}
	free(room);
	return left == 0 && checksum == record->checksum;
}

int
spool_file_open(enum spool_queue queue, const char *id, bool writable,
    bool content_too, struct spool_record *record, char **bytes)
{
	char path[64];

	spool_path(path, queue, id);

	int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd == -1) {
		/* A symbolic link, a directory, a socket. */
		if (errno == ELOOP || errno == EISDIR || errno == ENXIO)
			errno = EBADMSG;
		return -1;
	}

	char *front = NULL;
	bool good = read_header(fd, record) == 0;

	/* What nobody asks for is not read: a list has megabytes of recipients. */
	if (good && (bytes != NULL || content_too))
		good = (front = read_front(fd, record)) != NULL;
	if (good && content_too && !spool_content_is_whole(fd, record, front)) {
		errno = EBADMSG;
		good = false;
	}
	if (!good)
		fd_close(&fd);
	if (bytes == NULL || !good) {
		int saved = errno;

		free(front);
		front = NULL;
		errno = saved;
	}
	if (bytes != NULL)
		*bytes = front;
	return fd;
}

int
spool_set_retry(int file, int64_t retry_at)
{
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT }, { .tv_sec = retry_at },
	};

	return retry_at == 0 ? 0 : futimens(file, times);
}

/* A bit of its mode, so that what the file says stays as it was committed. */
int
spool_file_set_warned(int file)
{
	return fchmod(file, S_IRWXU | S_ISVTX);
}

bool
spool_file_is_warned(int file)
{
	struct stat st;

	return fstat(file, &st) == 0 && (st.st_mode & S_ISVTX) != 0;
}

int
spool_file_set_retry(enum spool_queue queue, const char *id, int64_t retry_at)
{
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT }, { .tv_sec = retry_at },
	};
	char path[64];

	spool_path(path, queue, id);
	return utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
}

int
spool_file_retry(enum spool_queue queue, const char *id, int64_t *retry_at)
{
	char path[64];
	struct stat st;

	spool_path(path, queue, id);
	if (lstat(path, &st) == -1)
		return -1;
	*retry_at = st.st_mtim.tv_sec;
	return 0;
}

int
spool_file_find(const char *id)
{
	char path[64];
	struct stat st;

	for (int queue = 0; queue < SPOOL_MAILDROP; queue++) {
		spool_path(path, queue, id);
		if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
			return queue;
	}
	return -1;
}

static int
each_in(const char *path, bool hashed,
    void (*on_id)(const char *, void *), void *context)
{
	DIR *directory = opendir(path);
	struct dirent *entry;

	if (directory == NULL)
		return -1;
	while ((entry = readdir(directory)) != NULL) {
		const char *name = entry->d_name;
		char below[300];

		if (name[0] == '.')
			continue;
		if (hashed && strlen(name) == 1) {
			snprintf(below, sizeof(below), "%s/%s", path, name);
			each_in(below, false, on_id, context);
		} else if (!hashed && spool_id_is_valid(name)) {
			on_id(name, context);
		}
	}
	closedir(directory);
	return 0;
}

int
spool_file_each(enum spool_queue queue, void (*on_id)(const char *, void *),
    void *context)
{
	return each_in(queues[queue].name, queues[queue].hashed, on_id, context);
}
