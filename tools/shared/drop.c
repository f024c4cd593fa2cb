#include "tools/shared/drop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "spool/spool.h"

#define NAMES_TRIED	100

static int
write_marks(int fd, size_t recipients)
{
	struct text marks = TEXT_EMPTY;

	for (size_t i = 0; i < recipients; i++)
		text_putc(&marks, SPOOL_MARK_PENDING);

	int result = fd_write_all(fd, marks.bytes, marks.length);

	text_clear(&marks);
	return result;
}

int
drop_begin(struct drop *drop, mode_t mode, const struct text *envelope,
    size_t recipients)
{
	static const char no_header[SPOOL_RECORD_HEADER];

	*drop = (struct drop){
		.recipients = recipients,
		.envelope_length = envelope->length,
		.checksum = crc32c(0, envelope->bytes, envelope->length),
	};
	/* The caller's mask does not count. The header comes last: it holds the checksum. */
	if (unnamed_open(&drop->file, "maildrop", mode) != -1 &&
	    fchmod(drop->file.fd, mode) == 0 &&
	    fd_write_all(drop->file.fd, no_header, sizeof(no_header)) == 0 &&
	    write_marks(drop->file.fd, recipients) == 0 &&
	    fd_write_all(drop->file.fd, envelope->bytes, envelope->length) == 0)
		return 0;
	drop_abandon(drop);
	return -1;
}

int
drop_write(struct drop *drop, const void *bytes, size_t length)
{
	drop->checksum = crc32c(drop->checksum, bytes, length);
	drop->content_length += (int64_t)length;
	return fd_write_all(drop->file.fd, bytes, length);
}

/*
 * The new name is durable with its directory. A set-gid postdrop cannot open
 * that; the link changed the file too, and journaling file systems keep both
 * in one transaction, so another flush of the file has the same effect.
 */
static int
sync_name(int fd)
{
	int directory = open("maildrop", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fsync(directory != -1 ? directory : fd);

	fd_close(&directory);
	return result;
}

static int
give_name(struct unnamed *file)
{
	char path[64], id[SPOOL_ID_SIZE];
	int result = -1;

	for (int i = 0; i < NAMES_TRIED && result == -1; i++) {
		spool_make_id(id, (int)(arc4random() & 0xff));
		snprintf(path, sizeof(path), "maildrop/%s", id);
		result = unnamed_link(file, path);
		if (result == -1 && errno != EEXIST)
			break;
	}
	if (result == 0 && sync_name(file->fd) == -1) {
		int saved = errno;

		unlink(path);
		errno = saved;
		result = -1;
	}
	return result;
}

int
drop_commit(struct drop *drop)
{
	char header[SPOOL_RECORD_HEADER];
	int result = -1;

	spool_record_header(header, drop->recipients, drop->envelope_length,
	    drop->content_length, drop->checksum, -1);
	if (fd_pwrite_all(drop->file.fd, header, sizeof(header), 0) == 0 &&
	    fsync(drop->file.fd) == 0)
		result = give_name(&drop->file);
	drop_abandon(drop);
	return result;
}

void
drop_abandon(struct drop *drop)
{
	unnamed_close(&drop->file);
}
