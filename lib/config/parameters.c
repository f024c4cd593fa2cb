/* parameters.def as a table, and how a text becomes the value of a row. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "config/internal.h"
#include "config/values.h"

/* A name that begins with a digit has a _ before it in C. */
#define PARAMETER(name, type, preset, smallest, largest, readers, manual) \
	{ &#name[#name[0] == '_'], PARAMETER_##type, preset, smallest, largest, readers, manual, \
	    offsetof(struct config, name) },
const struct parameter config_parameters[] = {
#include "config/parameters.def"
};
#undef PARAMETER

const size_t config_parameter_count = COUNT_OF(config_parameters);

static int
compare_name(const void *name, const void *row)
{
	return strcmp(name, ((const struct parameter *)row)->name);
}

const struct parameter *
config_parameter(const char *name)
{
	return bsearch(name, config_parameters, config_parameter_count,
	    sizeof(*config_parameters), compare_name);
}

/* A time without unit has the unit of its default: "5d" means that 3 is 3 days. */
static char
default_unit(const char *preset)
{
	size_t length = strlen(preset);

	while (length > 0 && preset[length - 1] == '}')
		length--;

	char last = length == 0 ? 's' : preset[length - 1];

	return strchr("smhdw", last) == NULL ? 's' : last;
}

static int
store_number(const struct parameter *p, const char *text, void *field,
    struct text *expected)
{
	int64_t value;

	if (config_number(text, p->smallest, p->largest, &value) == -1) {
		text_puts(expected, "a whole number");
		if (p->largest < (p->type == PARAMETER_INT ? INT_MAX : INT64_MAX))
			text_printf(expected, " from %" PRId64 " to %" PRId64,
			    p->smallest, p->largest);
		else
			text_printf(expected, ", %" PRId64 " or more",
			    p->smallest);
		return -1;
	}
	if (field == NULL)
		return 0;
	if (p->type == PARAMETER_INT)
		*(int *)field = (int)value;
	else
		*(int64_t *)field = value;
	return 0;
}

static int
store_time(const struct parameter *p, const char *text, void *field,
    struct text *expected)
{
	int seconds;

	if (config_time(text, default_unit(p->preset), &seconds) == -1) {
		text_puts(expected, "a time like 300s, 5m, 4h, 5d or 1w");
		return -1;
	}
	if (seconds < p->smallest || seconds > p->largest) {
		text_printf(expected, "a time from %" PRId64 "s to %" PRId64
		    "s", p->smallest, p->largest);
		return -1;
	}
	if (field != NULL)
		*(int *)field = seconds;
	return 0;
}

/* A text that has a form of its own: kept as it is once it is right. */
static int
store_form(const char *text, bool is_right, const char *what, void *field,
    struct text *expected)
{
	if (!is_right) {
		text_puts(expected, what);
		return -1;
	}
	if (field != NULL)
		*(const char **)field = text;
	return 0;
}

int
config_store(const struct parameter *p, const char *text, void *field,
    struct text *expected)
{
	bool truth;

	switch (p->type) {
	case PARAMETER_STRING:
	case PARAMETER_RAW:
		if (field != NULL)
			*(const char **)field = text;
		return 0;
	case PARAMETER_RATE:
		return store_form(text, *text == '\0' ||
		    config_rate(text, &(struct config_rate){ 0 }) == 0,
		    "nothing, or a rate like 5/s, 100/m, 1000/h or 5000/d",
		    field, expected);
	case PARAMETER_FEEDBACK:
		return store_form(text,
		    config_feedback(text, &(struct config_feedback){ 0 }) == 0,
		    "a number from 0 to 1, alone or with /concurrency or "
		    "/sqrt_concurrency", field, expected);
	case PARAMETER_BOOL:
		if (config_bool(text, &truth) == -1) {
			text_puts(expected, "yes or no");
			return -1;
		}
		if (field != NULL)
			*(bool *)field = truth;
		return 0;
	case PARAMETER_INT:
	case PARAMETER_SIZE:
		return store_number(p, text, field, expected);
	case PARAMETER_TIME:
		return store_time(p, text, field, expected);
	}
	panic("%s: a parameter of type %d", p->name, p->type);
}
