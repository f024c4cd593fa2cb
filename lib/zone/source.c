#include "zone/source.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/fd.h"

#define SOURCE_MAX	((size_t)4 << 30)

char *
source_read(const char *path, size_t *length, const char **why)
{
	struct stat st;
	char *bytes = NULL;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		*why = "not a regular file";
		return NULL;
	}
	bytes = file_read(path, SOURCE_MAX, length);
	if (bytes == NULL)
		*why = errno == ENOENT ? "file not found" :
		    errno == EACCES ? "permission denied" : strerror(errno);
	return bytes;
}
