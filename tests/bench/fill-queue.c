/*
 * fill-queue - a deferred queue of a million files, in a minute
 *
 *	fill-queue postroad|postfix TEMPLATE COUNT SECONDS
 *
 * In a queue directory: copies one file of deferred/ COUNT times, as postroad
 * or Postfix would have written them, each under an id of its own, to be tried
 * in SECONDS and up to a day more; negative: their time has come. Nothing is
 * flushed: this is no mail that matters.
 */

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "message/envelope.h"
#include "spool/spool.h"

static char		*template;
static size_t		 length;
static struct stat	 like;
static long		 seconds;

static void
finish(int fd, const char *path, const char *name)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_NOW },
	    { .tv_sec = time(NULL) + seconds +
	    (seconds < 0 ? 0 : (long)arc4random_uniform(86400)) } };

	if (fchown(fd, like.st_uid, like.st_gid) == -1 ||
	    fchmod(fd, like.st_mode & 07777) == -1 ||
	    futimens(fd, times) == -1 || rename(path, name) == -1)
		err(1, "%s", name);
	close(fd);
}

static int
create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd == -1)
		err(1, "%s", path);
	return fd;
}

/* The envelope names the id, and the header has the checksums. */
static void
write_postroad(void)
{
	struct spool_record record;
	struct pool *pool = pool_new(0);
	struct text envelope = TEXT_EMPTY;
	char id[SPOOL_ID_SIZE], path[64], header[SPOOL_RECORD_HEADER];
	uint32_t first;
	int fd;

	spool_record_parse(template, &record);

	struct envelope *decoded = envelope_decode(pool,
	    template + record.envelope_offset, record.envelope_length);
	const char *content = template + record.content_offset;
	size_t size = (size_t)record.content_length;

	if (decoded == NULL)
		errx(1, "the template makes no sense");
	spool_make_id(id, (int)arc4random_uniform(200));
	decoded->queue_id = id;
	decoded->unique = id;
	envelope_encode(decoded, &envelope);
	first = crc32c(0, envelope.bytes, envelope.length);
	spool_record_header(header, record.marks_length, envelope.length,
	    record.content_length, crc32c(first, content, size), first);
	snprintf(path, sizeof(path), "deferred/%c", id[0]);
	if (mkdir(path, 0700) == 0 && chown(path, like.st_uid, like.st_gid) == -1)
		err(1, "%s", path);
	spool_path(path, SPOOL_DEFERRED, id);
	fd = create("deferred/.new");
	if (fd_write_all(fd, header, sizeof(header)) == -1 ||
	    fd_write_all(fd, template + record.marks_offset, record.marks_length) == -1 ||
	    fd_write_all(fd, envelope.bytes, envelope.length) == -1 ||
	    fd_write_all(fd, content, size) == -1)
		err(1, "%s", path);
	finish(fd, "deferred/.new", path);
	text_clear(&envelope);
	pool_free(&pool);
}

/* The name has the inode; Postfix renames at its start what is not so. */
static void
write_postfix(void)
{
	char name[64], directory[64];
	struct stat st;
	int fd = create("deferred/new");
	unsigned int us = arc4random_uniform(1000000);

	if (fd_write_all(fd, template, length) == -1 || fstat(fd, &st) == -1)
		err(1, "deferred/new");
	snprintf(directory, sizeof(directory), "deferred/%X", us >> 16);
	if (mkdir(directory, 0700) == 0 && chown(directory, like.st_uid, like.st_gid) == -1)
		err(1, "%s", directory);
	snprintf(name, sizeof(name), "deferred/%X/%05X%lX", us >> 16, us, (unsigned long)st.st_ino);
	finish(fd, "deferred/new", name);
}

int
main(int argc, char **argv)
{
	if (argc != 5)
		errx(64, "usage: fill-queue postroad|postfix TEMPLATE COUNT SECONDS");
	template = file_read(argv[2], 1 << 20, &length);
	seconds = atol(argv[4]);
	if (template == NULL || stat(argv[2], &like) == -1)
		err(1, "%s", argv[2]);
	for (long n = atol(argv[3]); n > 0; n--) {
		if (strcmp(argv[1], "postroad") == 0)
			write_postroad();
		else
			write_postfix();
	}
	return 0;
}
