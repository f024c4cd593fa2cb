/* pid/master.pid: one master for a queue, and its number for those who signal it. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "master/master.h"

static int lock_fd = -1;

static const char *
lock_path(char *buffer, size_t size)
{
	snprintf(buffer, size, "%s/master.pid", config.process_id_directory);
	return buffer;
}

static int
open_lock(void)
{
	char path[256];
	int fd;

	mkdir(config.process_id_directory, 0755);
	fd = open(lock_path(path, sizeof(path)), O_RDWR | O_CREAT | O_CLOEXEC,
	    0644);
	if (fd == -1)
		fatal("open lock file %s/%s: %m", config.queue_directory, path);
	return fd;
}

bool
lock_is_free(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[256];
	int fd = open(lock_path(path, sizeof(path)), O_RDONLY | O_CLOEXEC);
	bool is_free = fd == -1 ? errno == ENOENT
	    : fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;

	fd_close(&fd);
	return is_free;
}

/* The kind of lock that can be asked for without being taken, and tells whose it is. */
void
lock_take(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[256];

	lock_fd = open_lock();
	if (fcntl(lock_fd, F_SETLK, &lock) == -1)
		fatal("open lock file %s/%s: %s", config.queue_directory,
		    lock_path(path, sizeof(path)), errno == EAGAIN ||
		    errno == EACCES ? "another master is running"
		    : strerror(errno));
}

void
lock_write_pid(void)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(lock_fd, 0) == -1 ||
	    fd_pwrite_all(lock_fd, text, (size_t)length, 0) == -1)
		log_warning("write %s/master.pid: %m",
		    config.process_id_directory);
}

/* The file stays: whoever opened it meanwhile must not lock a name that is gone. */
void
lock_release(void)
{
	if (lock_fd != -1 && ftruncate(lock_fd, 0) == -1)
		log_warning("empty master.pid: %m");
	fd_close(&lock_fd);
}
