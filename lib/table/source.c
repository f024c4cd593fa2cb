#include "table/source.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/* The first character past p that is separator, or white space if that is 0, outside quotes. */
static char *
end_of_key(char *p, char separator, bool *balanced)
{
	bool quoted = false;

	for (; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted && (separator != '\0' ? *p == separator
		    : isspace((unsigned char)*p)))
			break;
	}
	*balanced = !quoted;
	return p;
}

const char *
source_split(char *line, char **key, char **value)
{
	bool balanced;

	if (isspace((unsigned char)*line))
		return "logical line must not start with whitespace";

	char *end = end_of_key(line, '\0', &balanced);

	if (!balanced)
		return "unbalanced '\"'";
	*key = line;
	*value = end;
	if (*end != '\0') {
		*end = '\0';
		*value = text_trim(end + 1);
	}
	if (**value == '\0')
		return "expected format: key whitespace value";
	return NULL;
}

/* "a b" in quotes becomes a b, in place. */
static void
dequote(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++) {
		if (*text == '"')
			continue;
		if (*text == '\\' && text[1] != '\0')
			text++;
		*to++ = *text;
	}
	*to = '\0';
}

const char *
source_split_alias(char *line, char **key, char **value)
{
	bool balanced;

	if (isspace((unsigned char)*line))
		return "logical line must not start with whitespace";

	char *end = end_of_key(line, ':', &balanced);

	if (!balanced)
		return "unbalanced '\"'";
	if (*end == '\0')
		return "need name:value pair";
	*end = '\0';
	*key = text_trim(line);
	*value = text_trim(end + 1);
	if (**key == '\0' || **value == '\0' ||
	    *end_of_key(*key, ',', &balanced) != '\0')
		return "need name:value pair";
	if (*end_of_key(*key, '@', &balanced) != '\0')
		return "name must be local";
	dequote(*key);
	return NULL;
}

/* White space and commas at p as they are to be: ", ", or one blank. Gives the first character behind them. */
static const char *
tidy_gap(const char *p, struct text *out)
{
	bool comma = false;

	for (; *p == ',' || isspace((unsigned char)*p); p++) {
		if (*p != ',')
			continue;
		if (comma)
			text_puts(out, ", ");
		comma = true;
	}
	if (comma)
		text_puts(out, ", ");
	else if (*p != '\0' && out->length > 0 &&
	    out->bytes[out->length - 1] != ':')
		text_putc(out, ' ');
	return p;
}

void
source_tidy_alias(const char *value, struct text *out)
{
	bool quoted = false;

	while (*value != '\0') {
		if (!quoted && (*value == ',' || isspace((unsigned char)*value))) {
			value = tidy_gap(value, out);
			continue;
		}
		if (*value == '\\' && value[1] != '\0') {
			if (value[1] == '"' || value[1] == '\\')
				text_putc(out, *value);
			value++;
		} else if (*value == '"')
			quoted = !quoted;
		text_putc(out, *value++);
	}
}
