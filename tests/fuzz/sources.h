/*
 * sources - in place of lib/zone/source: the files that a fuzzed file includes are in memory
 *
 * For the one fuzzer that includes it. Text up to the first NUL is the file
 * SOURCES_FIRST, what stands behind it is every other file. After a number of
 * files there are none any more: one that includes itself twice has an end.
 */

#ifndef TESTS_FUZZ_SOURCES_H
#define TESTS_FUZZ_SOURCES_H

#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "zone/source.h"

#define SOURCES_FIRST	"first"
#define SOURCES_MAX	20	/* files that can be opened */

static struct {
	const char *texts[2];
	size_t	 lengths[2];
	unsigned opened;
} sources;

static void
sources_set(const uint8_t *bytes, size_t length)
{
	size_t first = strnlen((const char *)bytes, length);

	sources.texts[0] = (const char *)bytes;
	sources.lengths[0] = first;
	sources.texts[1] = (const char *)bytes + first;
	sources.lengths[1] = length - first;
	if (first < length) {
		sources.texts[1]++;
		sources.lengths[1]--;
	}
	sources.opened = 0;
}

/* Which of the two; -1 with *why: none any more. */
static int
find_source(const char *path, const char **why)
{
	*why = "file not found";
	return sources.opened++ < SOURCES_MAX ?
	    strcmp(path, SOURCES_FIRST) != 0 : -1;
}

int
source_open(const char *path, const char **why)
{
	int which = find_source(path, why), fd;

	if (which == -1)
		return -1;
	fd = memfd_create("source", MFD_CLOEXEC);
	if (fd == -1 || fd_write_all(fd, sources.texts[which],
	    sources.lengths[which]) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		abort();
	return fd;
}

char *
source_read(const char *path, size_t *length, const char **why)
{
	int which = find_source(path, why);
	char *bytes;

	if (which == -1)
		return NULL;
	*length = sources.lengths[which];
	bytes = mem_zalloc(1, *length + 1);
	memcpy(bytes, sources.texts[which], *length);
	return bytes;
}

#endif
