/* pop3 - a client's bytes, cut anywhere, are the same lines; TOP takes no more than there is */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "pop3/pop3.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* All commands of the input as text, read in parts of `step` bytes. */
static void
read_all(const char *bytes, size_t length, size_t step, struct text *out)
{
	struct pop3_input input = { 0 };
	struct pop3_command command;
	enum pop3_next next;
	size_t line_length;
	char *line;

	for (size_t i = 0; i < length; i += step) {
		pop3_input_append(&input, bytes + i, length - i < step ? length - i : step);
		while ((next = pop3_input_next(&input, &line, &line_length)) != POP3_NO_LINE) {
			if (next == POP3_LONG_LINE) {
				text_puts(out, "long\n");
				continue;
			}
			pop3_command_parse(line, line_length, &command);
			text_printf(out, "%s|%s\n", command.keyword,
			    command.argument != NULL ? command.argument : "-");
		}
		if (input.text.size > 4 * (POP3_LINE_MAX + step))
			abort();
	}
	pop3_input_clear(&input);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	const char *bytes = (const char *)data;
	struct text whole = TEXT_EMPTY, parts = TEXT_EMPTY;
	struct pop3_top top = { .lines_left = length > 0 ? data[0] % 4 : 0 };

	read_all(bytes, length, 4096, &whole);
	read_all(bytes, length, 7, &parts);
	if (whole.length != parts.length
	    || (whole.length > 0 && memcmp(whole.bytes, parts.bytes, whole.length) != 0))
		abort();
	text_clear(&whole);
	text_clear(&parts);
	if (pop3_top_take(&top, bytes, length) > length)
		abort();
	return 0;
}
