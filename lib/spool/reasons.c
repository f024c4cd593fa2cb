/*
 * reasons - behind a file's record: why its recipients wait, as the last try
 * told it
 *
 * "PRW <length> <checksum>", blanks, a newline, and the results as an agent
 * tells them. They may be lost, but not taken for something else: what has
 * not its checksum is none.
 */

#include "spool/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "spool/internal.h"

#define MAGIC	"PRW "
#define FORMAT	MAGIC "%08zx %08x"
#define HEADER	32
#define MOST	(64 << 20)

void
spool_reasons_append(struct text *bytes, const char *reasons, size_t length)
{
	char header[HEADER];
	int used = snprintf(header, sizeof(header), FORMAT, length,
	    crc32c(0, reasons, length));

	if (length > MOST)
		return;
	memset(header + used, ' ', sizeof(header) - (size_t)used);
	header[HEADER - 1] = '\n';
	text_append(bytes, header, sizeof(header));
	text_append(bytes, reasons, length);
}

int
spool_reasons_write(int file, const struct spool_record *record,
    const char *reasons, size_t length)
{
	struct text bytes = TEXT_EMPTY;
	int result;

	spool_reasons_append(&bytes, reasons, length);
	result = fd_pwrite_all(file, text_string(&bytes), bytes.length,
	    (off_t)record->length);
	if (result == 0)
		result = ftruncate(file, (off_t)record->length +
		    (off_t)bytes.length);
	text_clear(&bytes);
	return result;
}

char *
spool_reasons_read(int file, const struct spool_record *record, size_t *length)
{
	char header[HEADER + 1] = "", *reasons;
	uint32_t checksum;

	if (fd_pread_full(file, header, HEADER,
	    (off_t)record->length) != HEADER ||
	    sscanf(header, MAGIC "%8zx %8x ", length, &checksum) != 2 ||
	    *length > MOST)
		return NULL;
	reasons = mem_alloc(*length + 1);
	if (fd_pread_full(file, reasons, *length, (off_t)record->length +
	    HEADER) == (ssize_t)*length &&
	    crc32c(0, reasons, *length) == checksum)
		return reasons;
	free(reasons);
	return NULL;
}

bool
spool_reasons_follow(int file, const struct spool_record *record)
{
	char magic[] = MAGIC;
	size_t i = 0;
	ssize_t n = fd_pread_full(file, magic, strlen(MAGIC),
	    (off_t)record->length);

	/* What a power cut did not let come is zero. */
	while (n > 0 && i < (size_t)n &&
	    (magic[i] == MAGIC[i] || magic[i] == '\0'))
		i++;
	return n > 0 && i == (size_t)n;
}
