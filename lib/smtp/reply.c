#include "smtp/reply.h"

#include <ctype.h>
#include <string.h>

/* The last line of reply->text is complete: what does it say? */
static void
judge_line(struct smtp_reply *reply)
{
	char *line = reply->text.bytes + reply->line_start;
	size_t length = reply->text.length - reply->line_start;

	reply->progress = SMTP_REPLY_BROKEN;
	if (length < 3 || line[0] < '2' || line[0] > '5' ||
	    !isdigit((unsigned char)line[1]) ||
	    !isdigit((unsigned char)line[2]))
		return;
	if (length > 3 && line[3] != ' ' && line[3] != '-')
		return;

	int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';

	/* The codes of all lines must agree (RFC 5321 section 4.2.1). */
	if (reply->lines > 0 && code != reply->code)
		return;
	reply->code = code;
	if (++reply->lines > SMTP_REPLY_LINES_MAX)
		return;
	if (reply->status[0] == '\0' && length > 4) {
		smtp_status_parse(line + 4, length - 4, reply->status);
		if (reply->status[0] != line[0])
			reply->status[0] = '\0';
	}
	text_printable(line);
	reply->progress = length > 3 && line[3] == '-' ?
	    SMTP_REPLY_MORE : SMTP_REPLY_WHOLE;
}

static void
end_line(struct smtp_reply *reply)
{
	struct text *text = &reply->text;

	while (text->length > reply->line_start &&
	    text->bytes[text->length - 1] == '\r')
		text_truncate(text, text->length - 1);
	text_append(text, "", 0);
	judge_line(reply);
	if (reply->progress != SMTP_REPLY_MORE)
		return;
	if (text->length >= SMTP_REPLY_TEXT_MAX)
		text_truncate(text, reply->line_start);
	else
		text_putc(text, '\n');
	reply->line_start = text->length;
	reply->line_length = 0;
}

size_t
smtp_reply_read(struct smtp_reply *reply, const char *bytes, size_t length)
{
	size_t at = 0;

	while (at < length && reply->progress == SMTP_REPLY_MORE) {
		const char *lf = memchr(bytes + at, '\n', length - at);
		size_t plain = (lf == NULL ? bytes + length : lf) -
		    (bytes + at);

		reply->line_length += plain;
		if (reply->line_length > SMTP_REPLY_LINE_MAX) {
			reply->progress = SMTP_REPLY_BROKEN;
			return at;
		}
		/* A NUL would hide the rest of the line from whoever reads it. */
		for (size_t i = at; i < at + plain; i++)
			text_putc(&reply->text,
			    bytes[i] == '\0' ? '?' : bytes[i]);
		at += plain;
		if (lf != NULL) {
			at++;
			end_line(reply);
		}
	}
	return at;
}

void
smtp_reply_reset(struct smtp_reply *reply)
{
	struct text text = reply->text;

	text_truncate(&text, 0);
	*reply = (struct smtp_reply){ .text = text };
}

void
smtp_reply_clear(struct smtp_reply *reply)
{
	text_clear(&reply->text);
	smtp_reply_reset(reply);
}

static void
write_line(struct text *out, const char *prefix, size_t prefix_length,
    const char *line, size_t length)
{
	char *said;

	text_append(out, prefix, prefix_length);
	said = text_reserve(out, length);
	for (size_t i = 0; i < length; i++) {
		unsigned char c = line[i];

		said[i] = c < 0x20 || c == 0x7f ? '?' : c;
	}
	out->length += length;
	text_append(out, "\r\n", 2);
}

void
smtp_reply_write(struct text *out, const char *text)
{
	char status[SMTP_STATUS_SIZE], prefix[4 + SMTP_STATUS_SIZE + 1];
	size_t length = strlen(text);
	size_t code = length < 4 ? length : 4;
	size_t size = smtp_status_parse(text + code, length - code, status);

	memcpy(prefix, text, code);
	memcpy(prefix + code, status, size);
	prefix[code + size] = ' ';

	size_t prefix_length = size > 0 ? code + size + 1 : code;
	const char *line = text + (prefix_length < length ? prefix_length : length);

	for (;;) {
		const char *end = strchr(line, '\n');

		if (code == 4)
			prefix[3] = end == NULL ? ' ' : '-';
		write_line(out, prefix, prefix_length, line,
		    end == NULL ? strlen(line) : (size_t)(end - line));
		if (end == NULL)
			return;
		line = end + 1;
	}
}
