/* Where an answer stands in the text that somebody wrote. */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"
#include "config/lines.h"
#include "table/internal.h"
#include "table/source.h"

#define SOURCE_LIMIT	(64 * 1024 * 1024)

/* The line of key in the source of a table that was built from it; 0: not found. */
static int
find_line(const char *path, const char *key)
{
	bool is_aliases = text_ends_with(path, "aliases");
	struct lines lines;
	size_t length;
	char *text = file_read(path, SOURCE_LIMIT, &length), *line;
	int found = 0;

	if (text == NULL)
		return 0;
	lines_open(&lines, text, length);
	while (found == 0 && (line = lines_next(&lines)) != NULL) {
		char *name, *value;
		const char *wrong = is_aliases
		    ? source_split_alias(line, &name, &value)
		    : source_split(line, &name, &value);

		if (wrong == NULL && text_equal_nocase(name, key))
			found = lines.first;
	}
	lines_close(&lines);
	free(text);
	return found;
}

void
table_where(const struct table *table, const char *key, struct text *to)
{
	int line = table->line;

	if (line == 0 && table->backend != NULL &&
	    table->backend->suffix != NULL)
		line = find_line(table->path, key);
	if (line > 0)
		text_printf(to, "%s, line %d", table->path, line);
	else
		text_puts(to, table->name);
}
