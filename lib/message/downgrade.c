#include "message/downgrade.h"

#include <string.h>

#define LINE_MAX_QP	76	/* characters, the '=' of a soft break among them */

struct writing {
	struct mime_reader	 reader;
	struct text		*out;
	size_t			 column;	/* in a quoted-printable line */
	bool			 encodes;	/* this body is made quoted-printable */
};

static void
on_field(void *argument, const struct mime_field *raw)
{
	struct writing *writing = argument;
	struct header_field field;

	/* What it says of its body is said anew when the header ends. */
	if (mime_field_parse(raw, &field) &&
	    header_is(&field, "Content-Transfer-Encoding") &&
	    writing->reader.domain != MIME_7BIT)
		return;
	text_append(writing->out, raw->raw, raw->length);
	text_putc(writing->out, '\n');
}

static void
on_end_of_header(void *argument, bool is_marked)
{
	struct writing *writing = argument;
	bool is_more = writing->reader.domain != MIME_7BIT;

	writing->encodes = is_more && !writing->reader.is_composite;
	if (is_more)
		text_printf(writing->out, "Content-Transfer-Encoding: %s\n",
		    writing->encodes ? "quoted-printable" : "7bit");
	if (is_marked || is_more)
		text_putc(writing->out, '\n');
	writing->column = 0;
}

static void
put_encoded(struct writing *writing, unsigned char c, bool is_last)
{
	static const char digits[] = "0123456789ABCDEF";
	bool is_plain = (c > ' ' && c < 0x7f && c != '=') ||
	    ((c == ' ' || c == '\t') && !is_last);
	size_t size = is_plain ? 1 : 3;

	if (writing->column + size + !is_last > LINE_MAX_QP) {
		text_puts(writing->out, "=\n");
		writing->column = 0;
	}
	if (is_plain) {
		text_putc(writing->out, (char)c);
	} else {
		text_putc(writing->out, '=');
		text_putc(writing->out, digits[c >> 4]);
		text_putc(writing->out, digits[c & 15]);
	}
	writing->column += size;
}

static void
on_line(void *argument, const struct mime_line *line)
{
	struct writing *writing = argument;

	if (line->is_boundary)
		writing->encodes = false;
	if (!writing->encodes)
		text_append(writing->out, line->bytes, line->length);
	for (size_t i = 0; writing->encodes && i < line->length; i++)
		put_encoded(writing, (unsigned char)line->bytes[i],
		    i + 1 == line->length);
	if (line->ends) {
		text_putc(writing->out, '\n');
		writing->column = 0;
	}
}

void
downgrade(struct text *out, const char *message, size_t length, int deepest,
    size_t longest_boundary)
{
	static const struct mime_events events = { .field = on_field,
	    .end_of_header = on_end_of_header, .line = on_line };
	struct writing writing = { .out = out, .reader = { .events = &events,
	    .deepest = deepest, .longest_boundary = longest_boundary,
	    .longest_field = length + 1 } };

	writing.reader.argument = &writing;
	mime_begin(&writing.reader);
	mime_read(&writing.reader, message, length);
	mime_finish(&writing.reader);
	mime_clear(&writing.reader);
}
