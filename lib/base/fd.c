#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

void
fd_close(int *fd)
{
	int saved = errno;

	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int
fd_write_all(int fd, const void *bytes, size_t length)
{
	const char *p = bytes;

	while (length > 0) {
		ssize_t n = write(fd, p, length);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		p += n;
		length -= (size_t)n;
	}
	return 0;
}

int
fd_pwrite_all(int fd, const void *bytes, size_t length, off_t offset)
{
	const char *p = bytes;

	while (length > 0) {
		ssize_t n = pwrite(fd, p, length, offset);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		p += n;
		offset += n;
		length -= (size_t)n;
	}
	return 0;
}

ssize_t
fd_read_full(int fd, void *bytes, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = read(fd, (char *)bytes + done, length - done);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t
fd_pread_full(int fd, void *bytes, size_t length, off_t offset)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = pread(fd, (char *)bytes + done, length - done,
		    offset + (off_t)done);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int
fd_nonblocking(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1)
		return -1;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags);
}

char *
file_read(const char *path, size_t limit, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct text contents = TEXT_EMPTY;

	if (fd == -1)
		return NULL;
	for (;;) {
		char *room = text_reserve(&contents, 8192);
		ssize_t n = fd_read_full(fd, room, 8192);

		if (n == -1 || contents.length + (size_t)n > limit) {
			if (n != -1)
				errno = EFBIG;
			text_clear(&contents);
			fd_close(&fd);
			return NULL;
		}
		contents.length += (size_t)n;
		contents.bytes[contents.length] = '\0';
		if (n < 8192)
			break;
	}
	fd_close(&fd);
	if (length != NULL)
		*length = contents.length;
	return text_take(&contents);
}
