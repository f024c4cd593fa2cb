/* master.cf: what parses prints, and parses again to the same. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/master_cf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
ignore_line(enum log_level level, const char *line)
{
}

/* An entry as a line, with every argument in braces. */
static void
print(const struct master_entry *entry, struct text *out)
{
	for (int i = 0; i < MASTER_COLUMNS; i++)
		text_printf(out, "%s ", entry->columns[i]);
	text_puts(out, entry->program);
	for (size_t i = 0; i < entry->argument_count; i++) {
		const char *argument = entry->arguments[i];

		text_printf(out, strcmp(argument, "-o") == 0 ? " %s" : " {%s}",
		    argument);
	}
	text_putc(out, '\n');
}

/* Braces that do not pair within an argument cannot be written in braces. */
static bool
is_printable(const struct master_entry *entry)
{
	for (size_t i = 0; i < entry->argument_count; i++)
		if (strpbrk(entry->arguments[i], "{}") != NULL)
			return false;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct master_cf first, second;

	log_open_function(ignore_line);
	if (master_cf_parse((const char *)bytes, length, "f", &first) == -1)
		return 0;
	for (size_t i = 0; i < first.count; i++) {
		const struct master_entry *entry = &first.entries[i];
		struct text line = TEXT_EMPTY;

		if (!is_printable(entry))
			continue;
		print(entry, &line);
		if (master_cf_parse(line.bytes, line.length, "f", &second) ==
		    -1 || second.count != 1 ||
		    second.entries[0].argument_count != entry->argument_count ||
		    strcmp(second.entries[0].program, entry->program) != 0)
			abort();
		for (size_t j = 0; j < entry->argument_count; j++)
			if (strcmp(second.entries[0].arguments[j],
			    entry->arguments[j]) != 0)
				abort();
		master_cf_clear(&second);
		text_clear(&line);
	}
	master_cf_clear(&first);
	return 0;
}
