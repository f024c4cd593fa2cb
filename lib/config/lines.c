#include "config/lines.h"

#include <ctype.h>
#include <string.h>

void
lines_open(struct lines *lines, const char *text, size_t length)
{
	*lines = (struct lines){
		.next = text,
		.end = text + length,
		.number = 1,
	};
}

/* Where the physical line at lines->next ends: at its LF or at the end of the text. */
static const char *
physical_end(const struct lines *lines)
{
	const char *end = memchr(lines->next, '\n',
	    (size_t)(lines->end - lines->next));

	return end == NULL ? lines->end : end;
}

static void
step(struct lines *lines, const char *end)
{
	lines->next = end < lines->end ? end + 1 : end;
	lines->number++;
}

/* Blank or a comment: nothing that counts. */
static bool
says_nothing(const char *text, const char *end)
{
	while (text < end && isspace((unsigned char)*text))
		text++;
	return text == end || *text == '#';
}

char *
lines_next(struct lines *lines)
{
	bool found = false;

	text_truncate(&lines->line, 0);
	while (lines->next < lines->end) {
		const char *end = physical_end(lines);
		size_t length = (size_t)(end - lines->next);

		if (says_nothing(lines->next, end)) {
			step(lines, end);
			continue;
		}
		if (found && !isspace((unsigned char)*lines->next))
			break;
		if (!found)
			lines->first = lines->number;
		found = true;
		if (end > lines->next && end[-1] == '\r')
			length--;	/* a file from the other world */
		text_append(&lines->line, lines->next, length);
		step(lines, end);
	}
	return found ? lines->line.bytes : NULL;
}

void
lines_close(struct lines *lines)
{
	text_clear(&lines->line);
}
