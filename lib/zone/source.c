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

uint64_t
source_print(uint64_t print, const struct stat *st)
{
	const uint64_t facts[] = { st->st_dev, st->st_ino, st->st_size,
	    st->st_mtim.tv_sec, st->st_mtim.tv_nsec };

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		print = (print ^ facts[i]) * 0x9e3779b97f4a7c15 + i + 1;
	return print;
}

uint64_t
source_print_all(const char *paths, size_t length)
{
	const char *end = paths + length;
	uint64_t print = 0;
	struct stat st;

	for (; paths < end; paths += strlen(paths) + 1) {
		if (stat(paths, &st) == -1)
			return 0;
		print = source_print(print, &st);
	}
	return print;
}
