/* mime - events cover the message in order, once, however it is cut; and are the same then */

#include <stdint.h>
#include <stdlib.h>

#include "message/mime.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct seen {
	int64_t		at;
	size_t		events;
	uint32_t	sum;
};

static void
note(struct seen *seen, int kind, int64_t from, int64_t to, size_t length)
{
	if (from < seen->at || to < from)
		abort();
	seen->at = to;
	seen->events++;
	seen->sum = seen->sum * 31 + (uint32_t)(kind + from + to) +
	    (uint32_t)length;
}

static void
on_field(void *argument, const struct mime_field *field)
{
	struct header_field parsed;

	if (field->length == 0 || !mime_field_parse(field, &parsed))
		abort();
	note(argument, (int)field->of, field->from, field->to, field->length);
}

static void
on_line(void *argument, const struct mime_line *line)
{
	if (line->length > MIME_LINE || line->offset < 0)
		abort();
	note(argument, 10 + line->is_boundary, line->from, line->to,
	    line->length);
}

static struct seen
read_in_pieces(const char *text, size_t length, size_t piece)
{
	static const struct mime_events events = { .field = on_field,
	    .line = on_line };
	struct seen seen = { 0 };
	struct mime_reader reader = { .events = &events, .argument = &seen,
	    .deepest = 5, .longest_boundary = 70, .longest_field = 300,
	    .looks_for_8bit = true };

	mime_begin(&reader);
	for (size_t at = 0; at < length; at += piece)
		mime_read(&reader, text + at,
		    length - at < piece ? length - at : piece);
	mime_finish(&reader);
	if (reader.depth > 5 + 2 || seen.at > (int64_t)length)
		abort();
	mime_clear(&reader);
	return seen;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *text = (const char *)bytes;
	struct seen whole = read_in_pieces(text, length, length + 1);
	struct seen cut = read_in_pieces(text, length, 7);

	if (whole.events != cut.events || whole.sum != cut.sum)
		abort();
	return 0;
}
