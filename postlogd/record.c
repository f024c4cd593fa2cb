/* "<level digit><seconds>.<microseconds> <tag>[<pid>]: <text>" */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "postlogd/postlogd.h"

int
record_parse(char *line, struct record *record)
{
	char *space, *colon, *end;

	if (*line < '0' || *line > '0' + LOG_LEVEL_PANIC ||
	    !isdigit((unsigned char)line[1]))
		return -1;
	record->level = *line - '0';
	record->time = (time_t)strtoll(line + 1, &end, 10);
	if (*end != '.')
		return -1;
	record->time_us = (int64_t)record->time * 1000000 +
	    strtoll(end + 1, &end, 10);
	if (*end != ' ' || (space = strchr(end, ' ')) == NULL ||
	    (colon = strstr(space, "]: ")) == NULL)
		return -1;
	colon[1] = '\0';
	record->tag = space + 1;
	record->text = text_printable(colon + 3);
	return 0;
}
