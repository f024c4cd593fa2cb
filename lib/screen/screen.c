#include "screen/screen.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int
screen_passes_parse(const char *row, struct screen_passes *passes)
{
	const char *at = row;

	memset(passes, 0, sizeof(*passes));
	for (int i = 0; i < SCREEN_TEST_COUNT; i++) {
		size_t digits = strspn(at, "0123456789");

		if (digits == 0 || digits > 12)
			break;
		for (; digits > 0; digits--)
			passes->until[i] = passes->until[i] * 10 + *at++ - '0';
		if (*at == '\0')
			return 0;
		if (*at++ != ';')
			break;
	}
	memset(passes, 0, sizeof(*passes));
	return -1;
}

void
screen_passes_print(const struct screen_passes *passes,
    char row[SCREEN_ROW_SIZE])
{
	int at = 0;

	for (int i = 0; i < SCREEN_TEST_COUNT; i++)
		at += snprintf(row + at, (size_t)(SCREEN_ROW_SIZE - at),
		    "%s%" PRId64, i > 0 ? ";" : "", passes->until[i]);
}

void
screen_passes_join(struct screen_passes *passes,
    const struct screen_passes *others)
{
	for (int i = 0; i < SCREEN_TEST_COUNT; i++)
		if (passes->until[i] < others->until[i])
			passes->until[i] = others->until[i];
}

int64_t
screen_passes_end(const struct screen_passes *passes)
{
	int64_t last = 0;

	for (int i = 0; i < SCREEN_TEST_COUNT; i++)
		if (last < passes->until[i])
			last = passes->until[i];
	return last;
}
