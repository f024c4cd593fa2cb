#include "message/dot.h"

#include <string.h>

/*
 * Where the reader is. A line that began behind a bare LF is SHADY: its dot
 * is taken away like any other, but it cannot end the message.
 */
enum state {
	LINE_START,	/* behind CRLF, or at the very beginning */
	SHADY_START,	/* behind a bare LF */
	DOT,		/* a dot at LINE_START */
	DOT_CR,		/* and a CR behind it */
	IN_LINE,
	IN_LINE_CR,	/* a CR, or some, that may be of a line end */
	BDAT_START,	/* at the start of a line of BDAT: dots are nothing */
};

void
dot_read_start(struct dot_reader *reader, bool is_bdat)
{
	reader->state = is_bdat ? BDAT_START : LINE_START;
	reader->is_bdat = is_bdat;
	reader->ended = false;
	reader->seen = 0;
}

static void
end_line(struct dot_reader *reader, bool is_crlf, struct text *out)
{
	text_putc(out, '\n');
	if (!is_crlf)
		reader->seen |= DOT_BARE_LF;
	reader->state = reader->is_bdat ? BDAT_START :
	    is_crlf ? LINE_START : SHADY_START;
}

static void
bare_cr(struct dot_reader *reader, struct text *out)
{
	text_putc(out, ' ');
	reader->seen |= DOT_BARE_CR;
}

/* The plain part of a line, up to CR or LF, as one piece. Gives its length. */
static size_t
take_line(struct dot_reader *reader, const char *bytes, size_t length,
    struct text *out)
{
	const char *lf = memchr(bytes, '\n', length);
	size_t plain = lf == NULL ? length : (size_t)(lf - bytes);
	const char *cr = memchr(bytes, '\r', plain);

	if (cr != NULL)
		plain = cr - bytes;
	if (plain > 0 && memchr(bytes, '\0', plain) != NULL)
		reader->seen |= DOT_NUL;
	text_append(out, bytes, plain);
	return plain;
}

/* What a line does next, at IN_LINE. Gives the bytes read. */
static size_t
step_in_line(struct dot_reader *reader, const char *bytes, size_t length,
    struct text *out)
{
	size_t plain = take_line(reader, bytes, length, out);

	if (plain == length)
		return plain;
	if (bytes[plain] == '\r')
		reader->state = IN_LINE_CR;
	else
		end_line(reader, false, out);
	return plain + 1;
}

size_t
dot_read(struct dot_reader *reader, const char *bytes, size_t length,
    struct text *out)
{
	size_t at = 0;

	while (at < length && !reader->ended) {
		char c = bytes[at];

		switch ((enum state)reader->state) {
		case LINE_START:
		case SHADY_START:
			if (c == '.') {
				reader->state = reader->state == LINE_START ?
				    DOT : IN_LINE;
				at++;
			} else
				reader->state = IN_LINE;
			break;
		case BDAT_START:
			reader->state = IN_LINE;
			break;
		case DOT:
			reader->state = c == '\r' ? DOT_CR : IN_LINE;
			at += c == '\r';
			break;
		case DOT_CR:
			if (c == '\n') {
				reader->ended = true;
				at++;
			} else {
				bare_cr(reader, out);
				reader->state = IN_LINE;
			}
			break;
		case IN_LINE:
			at += step_in_line(reader, bytes + at, length - at,
			    out);
			break;
		case IN_LINE_CR:
			if (c == '\n') {
				end_line(reader, true, out);
				at++;
			} else if (c == '\r') {
				at++;
			} else {
				bare_cr(reader, out);
				reader->state = IN_LINE;
			}
			break;
		}
	}
	return at;
}

void
dot_read_finish(struct dot_reader *reader, struct text *out)
{
	if (reader->state == IN_LINE_CR)
		bare_cr(reader, out);
	if (reader->state == IN_LINE || reader->state == IN_LINE_CR)
		text_putc(out, '\n');
	reader->state = BDAT_START;
}

static void
write_held_cr(struct dot_writer *writer, struct text *out)
{
	if (writer->after_cr)
		text_putc(out, writer->keep_cr ? '\r' : ' ');
	writer->after_cr = false;
}

void
dot_write(struct dot_writer *writer, const char *bytes, size_t length,
    struct text *out)
{
	const char *end = bytes + length;

	while (bytes < end) {
		if (*bytes == '\n') {
			text_append(out, "\r\n", 2);
			writer->in_line = writer->after_cr = false;
			bytes++;
			continue;
		}
		write_held_cr(writer, out);
		if (!writer->in_line && *bytes == '.')
			text_putc(out, '.');
		writer->in_line = true;
		if (*bytes == '\r') {
			writer->after_cr = true;
			bytes++;
			continue;
		}

		const char *lf = memchr(bytes, '\n', end - bytes);
		size_t plain = (lf == NULL ? end : lf) - bytes;
		const char *cr = memchr(bytes, '\r', plain);

		if (cr != NULL)
			plain = cr - bytes;
		text_append(out, bytes, plain);
		bytes += plain;
	}
}

void
dot_write_finish(struct dot_writer *writer, struct text *out)
{
	write_held_cr(writer, out);
	if (writer->in_line)
		text_append(out, "\r\n", 2);
	writer->in_line = false;
	text_append(out, ".\r\n", 3);
}
