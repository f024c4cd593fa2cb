#include "config/values.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

int
config_bool(const char *text, bool *value)
{
	if (strcasecmp(text, "yes") == 0)
		*value = true;
	else if (strcasecmp(text, "no") == 0)
		*value = false;
	else
		return -1;
	return 0;
}

int
config_number(const char *text, int64_t smallest, int64_t largest,
    int64_t *value)
{
	const char *why;

	if (!isdigit((unsigned char)*text) && *text != '-')
		return -1;	/* strtonum() would skip white space, take a plus */
	*value = strtonum(text, smallest, largest, &why);
	return why == NULL ? 0 : -1;
}

static int
unit_seconds(char unit)
{
	switch (tolower((unsigned char)unit)) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 60 * 60;
	case 'd':
		return 24 * 60 * 60;
	case 'w':
		return 7 * 24 * 60 * 60;
	default:
		return 0;
	}
}

int
config_time(const char *text, char unit, int *seconds)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;

	intmax_t count = strtoimax(text, &end, 10);

	if (errno != 0)
		return -1;
	if (*end != '\0')
		unit = *end++;
	if (*end != '\0' || unit_seconds(unit) == 0 ||
	    count > INT_MAX / unit_seconds(unit))
		return -1;
	*seconds = (int)count * unit_seconds(unit);
	return 0;
}

int
config_rate(const char *text, struct config_rate *rate)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;

	long count = strtol(text, &end, 10);

	if (errno != 0 || count < 1 || count > INT_MAX || *end != '/' ||
	    strlen(end) != 2 || unit_seconds(end[1]) == 0)
		return -1;
	rate->count = (int)count;
	rate->seconds = unit_seconds(end[1]);
	return 0;
}

/* " / what", with white space or without. */
static bool
divides_by(const char *text, const char *what)
{
	text += strspn(text, " \t");
	if (*text++ != '/')
		return false;
	text += strspn(text, " \t");
	return strcmp(text, what) == 0;
}

int
config_feedback(const char *text, struct config_feedback *feedback)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	feedback->amount = strtod(text, &end);
	if (*end == '\0')
		feedback->form = FEEDBACK_PLAIN;
	else if (divides_by(end, "concurrency"))
		feedback->form = FEEDBACK_BY_WIDTH;
	else if (divides_by(end, "sqrt_concurrency"))
		feedback->form = FEEDBACK_BY_ROOT;
	else
		return -1;
	return feedback->amount >= 0 && feedback->amount <= 1 ? 0 : -1;
}

char *
config_word(char **cursor, const char **wrong)
{
	char *word = *cursor + strspn(*cursor, LIST_SEPARATORS), *p = word;
	int depth = 0;

	for (; *p != '\0'; p++) {
		if (*p == '{')
			depth++;
		else if (*p == '}' && --depth < 0)
			break;
		else if (depth == 0 && strchr(LIST_SEPARATORS, *p) != NULL)
			break;
	}
	if (depth != 0) {
		*wrong = depth > 0 ? "a { without its }" : "a } without its {";
		return NULL;
	}
	if (p == word)
		return NULL;
	if (*p != '\0')
		*p++ = '\0';
	*cursor = p;
	return word;
}

#define LEVEL_PARTS	3

static bool
level_parse(const char *text, long level[LEVEL_PARTS])
{
	memset(level, 0, LEVEL_PARTS * sizeof(*level));
	for (int i = 0; i < LEVEL_PARTS; i++) {
		char *end;

		if (!isdigit((unsigned char)*text))
			return false;
		level[i] = strtol(text, &end, 10);
		if (*end == '\0')
			return true;
		if (*end != '.')
			return false;
		text = end + 1;
	}
	return false;
}

int
config_compare_levels(const char *a, const char *b, bool *valid)
{
	long left[LEVEL_PARTS], right[LEVEL_PARTS];

	*valid = level_parse(a, left) && level_parse(b, right);
	for (int i = 0; *valid && i < LEVEL_PARTS; i++)
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	return 0;
}
