/* content - the message on its way to the wire, a piece at a time, never copied whole */

#include "client.h"

#include <string.h>

#include "config/config.h"

/* A piece is at least this long, and a line longer at most. */
#define PIECE	32768

void
content_start(struct content *content, const char *bytes, size_t length)
{
	*content = (struct content){ .next = bytes, .end = bytes + length };
}

/* Write the next line, or as much of it as may stand on one line. */
static void
write_line(struct content *content, struct text *out)
{
	size_t limit = (size_t)config.smtp_line_length_limit;
	size_t left = (size_t)(content->end - content->next);
	size_t length = left < PIECE ? left : PIECE;
	const char *lf = memchr(content->next, '\n', length);

	if (lf != NULL)
		length = (size_t)(lf - content->next);
	if (limit > 0 && content->in_line + length > limit) {
		length = limit - content->in_line;
		dot_write(&content->writer, content->next, length, out);
		dot_write(&content->writer, "\n ", 2, out);
		content->in_line = 0;
	} else {
		content->in_line = lf != NULL ? 0 : content->in_line + length;
		length += lf != NULL;
		dot_write(&content->writer, content->next, length, out);
	}
	content->next += length;
}

void
content_write(struct content *content, struct text *out)
{
	size_t enough = out->length + PIECE;

	while (content->next < content->end && out->length < enough)
		write_line(content, out);
	if (content->next == content->end && !content->finished) {
		dot_write_finish(&content->writer, out);
		content->finished = true;
	}
}

int64_t
content_wire_size(const char *bytes, size_t length)
{
	const char *end = bytes + length, *lf;
	int64_t size = (int64_t)length;

	while (bytes < end &&
	    (lf = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
		size++;
		bytes = lf + 1;
	}
	return size;
}
