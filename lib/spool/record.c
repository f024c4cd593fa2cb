/* record - the form that a message has in the journal and in a file */

#include "spool/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * "PR1 <recipients> <envelope> <content> <checksum of both> <of the envelope>"
 * in hexadecimal, blanks, a newline at the end. Files of the first version
 * have no checksum of the envelope alone.
 */
#define FORMAT	"PR1 %08zx %08zx %012llx %08x"
#define WITH_ENVELOPE	" %08x"

#define RECIPIENTS_MAX	(1 << 24)
#define ENVELOPE_MAX	(256 << 20)

bool
spool_mark_waits(char mark)
{
	return mark == SPOOL_MARK_PENDING || mark == SPOOL_MARK_RETURN;
}

bool
spool_all_done(const char *marks, size_t count)
{
	size_t i = 0;

	while (i < count && marks[i] == SPOOL_MARK_DONE)
		i++;
	return i == count;
}

void
spool_record_header(char header[SPOOL_RECORD_HEADER], size_t recipients,
    size_t envelope_length, int64_t content_length, uint32_t checksum,
    int64_t envelope_checksum)
{
	int length = snprintf(header, SPOOL_RECORD_HEADER, FORMAT, recipients,
	    envelope_length, (unsigned long long)content_length, checksum);

	if (envelope_checksum != -1)
		length += snprintf(header + length,
		    SPOOL_RECORD_HEADER - (size_t)length, WITH_ENVELOPE,
		    (uint32_t)envelope_checksum);

	memset(header + length, ' ', SPOOL_RECORD_HEADER - (size_t)length);
	header[SPOOL_RECORD_HEADER - 1] = '\n';
}

/* digits lower-case hexadecimal digits and a blank; -1 if they are not. */
static int64_t
parse_hex(const char **at, int digits)
{
	int64_t value = 0;

	for (int i = 0; i < digits; i++) {
		char c = *(*at)++;

		if (c >= '0' && c <= '9')
			value = value << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (c - 'a' + 10);
		else
			return -1;
	}
	return *(*at)++ == ' ' ? value : -1;
}

int
spool_record_parse(const char *header, struct spool_record *record)
{
	const char *at = header + 4;

	if (memcmp(header, "PR1 ", 4) != 0 ||
	    header[SPOOL_RECORD_HEADER - 1] != '\n')
		return -1;

	int64_t recipients = parse_hex(&at, 8);
	int64_t envelope = recipients == -1 ? -1 : parse_hex(&at, 8);
	int64_t content = envelope == -1 ? -1 : parse_hex(&at, 12);
	int64_t checksum = content == -1 ? -1 : parse_hex(&at, 8);

	if (checksum == -1 || recipients > RECIPIENTS_MAX ||
	    envelope > ENVELOPE_MAX)
		return -1;
	record->marks_offset = SPOOL_RECORD_HEADER;
	record->marks_length = (size_t)recipients;
	record->envelope_offset = record->marks_offset + record->marks_length;
	record->envelope_length = (size_t)envelope;
	record->content_offset = (int64_t)(record->envelope_offset +
	    record->envelope_length);
	record->content_length = content;
	record->length = record->content_offset + content;
	record->checksum = (uint32_t)checksum;
	if (*at == ' ') {
		record->envelope_checksum = -1;
		return 0;
	}
	record->envelope_checksum = parse_hex(&at, 8);
	if (record->envelope_checksum == -1)
		return -1;
	return 0;
}
