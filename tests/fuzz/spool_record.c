/* spool_record - a header line that is read is written again as it stood */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spool/spool.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct spool_record record = { 0 }, again = { 0 };
	char header[SPOOL_RECORD_HEADER];

	if (length < SPOOL_RECORD_HEADER || spool_record_parse((const char *)bytes, &record) == -1)
		return 0;
	spool_record_header(header, record.marks_length, record.envelope_length, record.content_length, record.checksum,
	    record.envelope_checksum);
	if (spool_record_parse(header, &again) == -1 || memcmp(&record, &again, sizeof(record)) != 0 ||
	    record.length < 0)
		abort();
	return 0;
}
