/*
 * The logging statement. Channels are read before categories, which may
 * stand before them. A category that is not named has the channels of
 * "default", and that, if it is not named either, BIND's own. The category
 * queries decides, as in BIND, whether questions are logged where querylog
 * says nothing.
 */

#include "named/logging.h"

#include <string.h>

#include "named/channels.h"
#include "named/statements.h"

static const char *const words[LOG_CATEGORIES] = {
#define CATEGORY(name, word) [LOG_CATEGORY_##name] = word,
#include "named/categories.def"
#undef CATEGORY
};

const char *
log_category_word(enum log_category category)
{
	return words[category];
}

int
log_category_find(const char *word)
{
	for (int i = 0; i < LOG_CATEGORIES; i++)
		if (strcasecmp(words[i], word) == 0)
			return i;
	return -1;
}

/* The bits of the channels of a list. */
static uint64_t
read_channels(struct target *to, const struct conf_statement *list)
{
	const struct logging *logging = &to->settings->logging;
	uint64_t bits = 0;

	for (; list != NULL; list = list->next) {
		const char *name = list->items->text;
		int number = name != NULL ? channels_find(logging, name) : -1;

		if (number == -1)
			conf_error(&to->settings->conf, list, "undefined "
			    "channel: '%s'", name != NULL ? name : "{");
		else
			bits |= UINT64_C(1) << number;
	}
	return bits;
}

static bool
is_heard(const struct logging *logging, uint64_t bits)
{
	for (size_t i = 0; i < logging->channel_count; i++)
		if ((bits >> i & 1) != 0 && logging->channels[i].form.place !=
		    LOG_PLACE_NULL)
			return true;
	return false;
}

static void
read_category(struct target *to, const struct conf_statement *at,
    uint64_t *named)
{
	struct settings *settings = to->settings;
	struct logging *logging = &settings->logging;
	const struct conf_statement *list = channels_block(to, at);
	const char *name = at->items->next != NULL ? at->items->next->text :
	    NULL;
	int number;

	if (name == NULL)
		return;
	number = log_category_find(name);
	if (number == -1) {
		conf_error(&settings->conf, at, "undefined category: '%s'",
		    name);
		return;
	}
	logging->categories[number] |= read_channels(to, list);
	*named |= UINT64_C(1) << number;
	if (!is_heard(logging, logging->categories[number]))
		return;
	logging->asked |= UINT64_C(1) << number;
	if (number == LOG_CATEGORY_QUERIES)
		settings->querylog = true;
}

/* Those that are not named. */
static void
resolve(struct logging *logging, uint64_t named)
{
	uint64_t *fallback = &logging->categories[LOG_CATEGORY_DEFAULT];

	if ((named >> LOG_CATEGORY_DEFAULT & 1) == 0)
		*fallback =
		    UINT64_C(1) << channels_find(logging, "default_syslog") |
		    UINT64_C(1) << channels_find(logging, "default_debug");
	for (int i = 0; i < LOG_CATEGORIES; i++)
		if ((named >> i & 1) == 0)
			logging->categories[i] = *fallback;
}

static const struct conf_statement *
find_statement(struct target *to)
{
	const struct conf_statement *found = NULL;

	for (const struct conf_statement *at = to->settings->conf.statements;
	    at != NULL; at = at->next) {
		if (!conf_is(at, "logging"))
			continue;
		if (found != NULL)
			conf_error(&to->settings->conf, at,
			    "'logging' redefined near 'logging'");
		else
			found = at;
	}
	return found;
}

void
logging_read(struct target *to)
{
	struct logging *logging = &to->settings->logging;
	const struct conf_statement *at = find_statement(to);
	const struct conf_statement *list = at != NULL ? value_block(to, at,
	    at->items->next) : NULL;
	uint64_t named = 0;

	channels_init(logging);
	logging->is_given = list != NULL;
	for (const struct conf_statement *each = list; each != NULL;
	    each = each->next)
		if (conf_is(each, "channel"))
			channels_read(to, each);
		else if (!conf_is(each, "category"))
			conf_error(&to->settings->conf, each, "unknown option "
			    "'%s'", each->items->text != NULL ?
			    each->items->text : "{");
	for (const struct conf_statement *each = list; each != NULL;
	    each = each->next)
		if (conf_is(each, "category"))
			read_category(to, each, &named);
	resolve(logging, named);
}
