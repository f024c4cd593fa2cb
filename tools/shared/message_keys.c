#include "tools/shared/message_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

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
			/* The empty line that ends the headers is neither. */
			if (body && (in_body || *line != '\0'))
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
