#include "tools/shared/message_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "message/mime.h"

static bool
is_continuation(const char *line)
{
	return *line == ' ' || *line == '\t';
}

/* "Name: value": a printable name without blanks, and a colon. */
static bool
is_header(const char *line)
{
	const char *p = line;

	while (*p > ' ' && *p < 0x7f && *p != ':')
		p++;
	return p > line && *p == ':';
}

void
message_keys(bool headers, bool body,
    void (*take)(const char *key, void *context), void *context)
{
	struct text header = TEXT_EMPTY;
	bool in_body = false;
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) != -1) {
		line[strcspn(line, "\r\n")] = '\0';
		if (!in_body && header.length > 0 && is_continuation(line)) {
			text_printf(&header, "\n%s", line);
			continue;
		}
		if (header.length > 0 && headers)
			take(text_string(&header), context);
		text_truncate(&header, 0);
		if (in_body || !is_header(line)) {
			/* Where no empty line ends the header, Postfix sees one. */
			if (body && !in_body && *line != '\0')
				take("", context);
			if (body)
				take(line, context);
			in_body = true;
		} else
			text_puts(&header, line);
	}
	if (header.length > 0 && headers)
		take(text_string(&header), context);
	text_clear(&header);
	free(line);
}

/* Who takes the keys of a message whose parts are looked into. */
struct taker {
	bool	 headers, body;
	bool	 misses_empty_line;	/* no empty line ended the header: before a body comes one, as in Postfix */
	void	(*take)(const char *key, void *context);
	void	*context;
	struct text key;
};

static void
take_key(struct taker *taker, const char *bytes, size_t length)
{
	text_truncate(&taker->key, 0);
	text_append(&taker->key, bytes, length);
	taker->take(text_string(&taker->key), taker->context);
}

static void
on_field(void *argument, const struct mime_field *field)
{
	struct taker *taker = argument;

	if (taker->headers)
		take_key(taker, field->raw, field->length);
}

static void
on_end_of_header(void *argument, bool is_marked)
{
	struct taker *taker = argument;

	if (taker->body && is_marked)
		take_key(taker, "", 0);
	taker->misses_empty_line = !is_marked;
}

static void
on_line(void *argument, const struct mime_line *line)
{
	struct taker *taker = argument;

	if (taker->body && taker->misses_empty_line)
		take_key(taker, "", 0);
	taker->misses_empty_line = false;
	if (taker->body)
		take_key(taker, line->bytes, line->length);
}

void
message_keys_of_parts(bool headers, bool body,
    void (*take)(const char *key, void *context), void *context)
{
	static const struct mime_events events = {
		.field = on_field,
		.end_of_header = on_end_of_header,
		.line = on_line,
	};
	struct taker taker = { .headers = headers, .body = body,
	    .take = take, .context = context };
	struct mime_reader reader = {
		.events = &events,
		.argument = &taker,
		.deepest = config.mime_nesting_limit,
		.longest_boundary = (size_t)config.mime_boundary_length_limit,
		.longest_field = (size_t)config.header_size_limit,
	};
	char bytes[4096];
	size_t length;

	mime_begin(&reader);
	while ((length = fread(bytes, 1, sizeof(bytes), stdin)) > 0)
		mime_read(&reader, bytes, length);
	mime_finish(&reader);
	mime_clear(&reader);
	text_clear(&taker.key);
}
