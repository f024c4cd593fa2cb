/* dot - what was read goes out and comes back the same; nothing but CRLF.CRLF ends it */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "message/dot.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Where the standard end is in what was sent, behind "DATA" CRLF. */
static size_t
standard_end(const char *sent, size_t length)
{
	if (length >= 3 && memcmp(sent, ".\r\n", 3) == 0)
		return 3;

	const char *end = memmem(sent, length, "\r\n.\r\n", 5);

	return end == NULL ? length : (size_t)(end + 5 - sent);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *sent = (const char *)bytes;
	struct dot_reader reader = { 0 }, again = { 0 };
	struct dot_writer writer = { 0 };
	struct text message = TEXT_EMPTY, wire = TEXT_EMPTY, back = TEXT_EMPTY;

	dot_read_start(&reader, false);
	if (dot_read(&reader, sent, length, &message) !=
	    standard_end(sent, length) ||
	    message.length > length + DOT_READ_EXTRA)
		abort();
	dot_write(&writer, text_string(&message), message.length, &wire);
	dot_write_finish(&writer, &wire);
	dot_read_start(&again, false);
	if (dot_read(&again, wire.bytes, wire.length, &back) != wire.length ||
	    !again.ended || back.length < message.length ||
	    memcmp(text_string(&back), text_string(&message), message.length) != 0)
		abort();
	text_clear(&message);
	text_clear(&wire);
	text_clear(&back);
	return 0;
}
