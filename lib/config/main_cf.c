/* main.cf as text: logical lines, each "name = value". */

#include <ctype.h>
#include <string.h>

#include "base/base.h"
#include "config/internal.h"
#include "config/lines.h"

const char *
main_cf_split(char *line, char **name, char **value)
{
	char *p = line + strspn(line, " \t");

	*name = p;
	while (*p != '\0' && *p != '=' && !isspace((unsigned char)*p))
		p++;

	char *end = p;

	p += strspn(p, " \t");
	if (end == *name)
		return "missing attribute name";
	if (*p != '=')
		return "missing '=' after attribute name";
	*end = '\0';
	*value = text_trim(p + 1);
	return NULL;
}

int
main_cf_parse(const char *text, size_t length, const char *file,
    void (*define)(const char *, const char *, int, void *), void *context)
{
	struct lines lines;
	int result = 0;
	char *line;

	lines_open(&lines, text, length);
	while ((line = lines_next(&lines)) != NULL) {
		char *name, *value;
		const char *wrong;

		if (isspace((unsigned char)*line)) {
			log_warning("%s, line %d: logical line must not start "
			    "with whitespace: \"%.30s\"", file, lines.first, line);
			continue;	/* it continues nothing; Postfix passes it over, too */
		}
		if (strlen(line) != lines.line.length)
			wrong = "a NUL byte";
		else
			wrong = main_cf_split(line, &name, &value);
		if (wrong == NULL)
			define(name, value, lines.first, context);
		else {
			log_error("%s, line %d: %s: \"%.100s\"", file,
			    lines.first, wrong, line);
			result = -1;
		}
	}
	lines_close(&lines);
	return result;
}
