/*
 * remember - defer/X/ID: the reasons of the last try, for mailq
 *
 * Nothing here must survive a power cut: the next try writes it again. So it
 * is written in place, without a second name that might stay behind; a reader
 * who meets half of it sees no reason.
 */

#include "bounce/bounce.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void
make_path(char path[64], const char *queue_id)
{
	snprintf(path, 64, "defer/%c/%s", queue_id[0], queue_id);
}

static int
open_anew(const char *path, const char *queue_id)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags, 0600);
	char directory[16];

	if (fd != -1 || errno != ENOENT)
		return fd;
	snprintf(directory, sizeof(directory), "defer/%c", queue_id[0]);
	if (mkdir(directory, 0700) == -1 && errno != EEXIST)
		return -1;
	return open(path, flags, 0600);
}

void
remember(const char *queue_id, const char *results, size_t length)
{
	char path[64];
	int fd;

	make_path(path, queue_id);
	fd = open_anew(path, queue_id);
	if (fd == -1 || fd_write_all(fd, results, length) == -1)
		log_warning("%s: cannot remember why it waits in %s: %m",
		    queue_id, path);
	fd_close(&fd);
}

void
forget(const char *queue_id)
{
	char path[64];

	make_path(path, queue_id);
	if (unlink(path) == -1 && errno != ENOENT)
		log_warning("%s: cannot remove %s: %m", queue_id, path);
}
