#include "message/header.h"

#include <string.h>
#include <strings.h>

/* Past the line that begins at position. */
static size_t
line_end(const struct header_walk *walk, size_t position)
{
	const char *end = memchr(walk->text + position, '\n',
	    walk->length - position);

	return end == NULL ? walk->length : (size_t)(end + 1 - walk->text);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Bytes of the field name that text begins with, 0 if no field does. */
static size_t
name_length(const char *text, size_t length)
{
	size_t at = 0;

	while (at < length && text[at] > ' ' && text[at] < 0x7f &&
	    text[at] != ':')
		at++;

	size_t end = at;

	/* Blanks before the colon are obsolete, but exist (RFC 5322 section 4.5.8). */
	while (at < length && is_blank(text[at]))
		at++;
	return at < length && text[at] == ':' ? end : 0;
}

static void
set_value(struct header_field *field)
{
	const char *end = field->raw + field->raw_length;
	const char *value = memchr(field->name + field->name_length, ':',
	    end - field->name - field->name_length);

	if (end[-1] == '\n')
		end--;
	if (end > field->raw && end[-1] == '\r')
		end--;
	value++;
	while (value < end && is_blank(*value))
		value++;
	field->value = value;
	field->value_length = value < end ? end - value : 0;
}

bool
header_next(struct header_walk *walk, struct header_field *field)
{
	size_t start = walk->position;

	if (start == 0 && walk->length >= 5 &&
	    memcmp(walk->text, "From ", 5) == 0)
		start = line_end(walk, 0);
	walk->position = start;
	field->raw = field->name = walk->text + start;
	field->name_length = name_length(field->raw, walk->length - start);
	if (field->name_length == 0)
		return false;

	size_t end = line_end(walk, start);

	while (end < walk->length && is_blank(walk->text[end]))
		end = line_end(walk, end);
	walk->position = end;
	field->raw_length = end - start;
	set_value(field);
	return true;
}

size_t
header_body(const char *text, size_t length)
{
	struct header_walk walk = { text, length, 0 };
	struct header_field field;

	while (header_next(&walk, &field))
		continue;
	text += walk.position;
	length -= walk.position;
	if (length >= 1 && text[0] == '\n')
		return walk.position + 1;
	if (length >= 2 && text[0] == '\r' && text[1] == '\n')
		return walk.position + 2;
	return walk.position;
}

bool
header_is(const struct header_field *field, const char *name)
{
	return strlen(name) == field->name_length &&
	    strncasecmp(field->name, name, field->name_length) == 0;
}

void
header_unfold(struct text *out, const struct header_field *field)
{
	const char *at = field->value, *end = at + field->value_length;

	while (at < end) {
		const char *fold = memchr(at, '\n', end - at);
		const char *stop = fold == NULL ? end : fold;

		if (fold != NULL && stop > at && stop[-1] == '\r')
			stop--;
		text_append(out, at, stop - at);
		if (fold == NULL)
			return;
		for (at = fold + 1; at < end && is_blank(*at); at++)
			continue;
		text_putc(out, ' ');
	}
}

bool
header_find(const char *text, size_t length, const char *name,
    struct header_field *field)
{
	struct header_walk walk = { text, length, 0 };

	while (header_next(&walk, field))
		if (header_is(field, name))
			return true;
	return false;
}
