/* main.cf: whatever the text, it is read or refused with a line; what expands does so within bounds. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/expand.h"
#include "config/internal.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static struct map *values;

static void
ignore_line(enum log_level level, const char *line)
{
}

static void
define(const char *name, const char *value, int line, void *context)
{
	free(map_set(values, name, mem_strdup(value)));
}

static const char *
value_of(const char *name, void *context)
{
	return map_get(values, name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const struct expansion expansion = { value_of, NULL, true, NULL };
	size_t position = 0;
	void *value;

	log_open_function(ignore_line);
	values = map_new();
	main_cf_parse((const char *)bytes, length, "main.cf", define, NULL);
	while (map_next(values, &position, &value) != NULL) {
		struct text out = TEXT_EMPTY, why = TEXT_EMPTY;

		if (expand(&expansion, value, &out, &why) == -1 &&
		    why.length == 0)
			abort();	/* a refusal gives its reason */
		text_clear(&out);
		text_clear(&why);
	}
	map_free(&values, free);
	return 0;
}
