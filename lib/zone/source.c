#include "zone/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "base/fd.h"

#define SOURCE_MAX	((size_t)64 << 20)	/* of what is read whole */

static const char *
explain_errno(void)
{
	return errno == ENOENT ? "file not found" :
	    errno == EACCES ? "permission denied" : strerror(errno);
}

int
source_open(const char *path, const char **why)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd == -1)
		*why = explain_errno();
	else if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	else
		*why = "not a regular file";
	fd_close(&fd);
	return -1;
}

char *
source_read(const char *path, size_t *length, const char **why)
{
	int fd = source_open(path, why);
	char *bytes;

	if (fd == -1)
		return NULL;
	fd_close(&fd);
	bytes = file_read(path, SOURCE_MAX, length);
	if (bytes == NULL)
		*why = explain_errno();
	return bytes;
}
