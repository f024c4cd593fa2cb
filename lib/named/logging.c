/*
 * logging - what BIND's channels and categories mean here
 *
 * All lines go to one place, the mail system's log, the terminal, syslog or
 * the file of -L, which has times and levels of its own; its reader sorts
 * them. So what a channel or a category would do otherwise is told, each by
 * its name. The category queries decides, as in BIND, whether questions are
 * logged where querylog says nothing.
 */

#include <string.h>

#include "named/statements.h"

static const char *const categories[] = {
	"client", "cname", "config", "database", "default", "delegation-only",
	"dispatch", "dnssec", "dnstap", "edns-disabled", "general",
	"lame-servers", "network", "notify", "nsid", "queries",
	"query-errors", "rate-limit", "resolver", "responses", "rpz",
	"rpz-passthru", "security", "serve-stale", "spill", "sslkeylog",
	"trust-anchor-telemetry", "unmatched", "update", "update-security",
	"xfer-in", "xfer-out", "zoneload",
};

static const char *const channels[] = { "default_debug", "default_logfile",
    "default_stderr", "default_syslog", "null" };

static bool
is_one_of(const char *const words[], size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(words[i], word) == 0)
			return true;
	return false;
}

/* The channel of that name in the file; NULL if there is none. */
static const struct conf_statement *
find_channel(const struct conf_statement *list, const char *name)
{
	for (; list != NULL; list = list->next)
		if (conf_is(list, "channel") && list->items->next != NULL &&
		    list->items->next->text != NULL &&
		    strcmp(list->items->next->text, name) == 0)
			return list;
	return NULL;
}

static bool
is_channel(const struct conf_statement *list, const char *name)
{
	return find_channel(list, name) != NULL ||
	    is_one_of(channels, COUNT_OF(channels), name);
}

/* Do its lines go nowhere? */
static bool
is_null(const struct conf_statement *list, const char *name)
{
	const struct conf_statement *channel = find_channel(list, name);
	const struct conf_item *block = channel != NULL ?
	    channel->items->next->next : NULL;

	if (block == NULL || block->kind != CONF_BLOCK)
		return strcmp(name, "null") == 0;
	for (const struct conf_statement *at = block->block; at != NULL;
	    at = at->next)
		if (conf_is(at, "null"))
			return true;
	return false;
}

static const struct conf_statement *
named_block(struct target *to, const struct conf_statement *at)
{
	const struct conf_item *name = at->items->next;

	if (name == NULL || name->text == NULL) {
		conf_error(&to->settings->conf, at, "expected a name after "
		    "'%s'", at->items->text);
		return NULL;
	}
	return value_block(to, at, name->next);
}

/* What may stand in a channel, and what is to be said of it; NULL: it changes nothing that one would miss. */
static const struct {
	const char *word;
	const char *remark;
} properties[] = {
	{ "buffered", NULL },
	{ "file", "lines go to the log of this server, not to a file of "
	    "their own" },
	{ "null", NULL },
	{ "print-category", "lines have no category" },
	{ "print-severity", NULL },
	{ "print-time", NULL },
	{ "severity", "lines of all weights from info on are written; "
	    "'rndc trace' adds those of debugging" },
	{ "stderr", NULL },
	{ "syslog", "lines go to the log of this server, to syslog as daemon "
	    "if it runs by itself" },
};

/* Does it ask for what happens anyway? */
static bool
is_as_ever(const struct conf_statement *at)
{
	static const char *const usual[] = { "no", "false", "info", "dynamic",
	    "daemon", "notice" };
	const struct conf_item *value = at->items->next;

	return value != NULL && value->text != NULL &&
	    is_one_of(usual, COUNT_OF(usual), value->text);
}

static void
check_property(struct target *to, const struct conf_statement *channel,
    const struct conf_statement *at)
{
	const char *word = at->items->text;

	for (size_t i = 0; word != NULL && i < COUNT_OF(properties); i++) {
		if (strcasecmp(word, properties[i].word) != 0)
			continue;
		if (properties[i].remark != NULL && !is_as_ever(at))
			conf_warning(at, "channel '%s': '%s': %s",
			    channel->items->next->text, word,
			    properties[i].remark);
		return;
	}
	conf_error(&to->settings->conf, at, "unknown option '%s'",
	    word != NULL ? word : "{");
}

static void
check_channel(struct target *to, const struct conf_statement *at)
{
	for (const struct conf_statement *each = named_block(to, at);
	    each != NULL; each = each->next)
		check_property(to, at, each);
}

static void
check_category(struct target *to, const struct conf_statement *all,
    const struct conf_statement *at)
{
	struct settings *settings = to->settings;
	const struct conf_statement *list = named_block(to, at);
	const char *name = at->items->next != NULL ? at->items->next->text :
	    NULL;
	bool is_heard = false;

	if (name == NULL)
		return;
	if (!is_one_of(categories, COUNT_OF(categories), name)) {
		conf_error(&settings->conf, at, "undefined category: '%s'",
		    name);
		return;
	}
	for (; list != NULL; list = list->next) {
		const char *channel = list->items->text;

		if (channel == NULL || !is_channel(all, channel))
			conf_error(&settings->conf, list, "undefined channel: "
			    "'%s'", channel != NULL ? channel : "{");
		else if (!is_null(all, channel))
			is_heard = true;
	}
	if (strcasecmp(name, "queries") == 0)
		settings->querylog = settings->querylog || is_heard;
	else if (!is_heard)
		conf_warning(at, "category '%s': its lines are written all "
		    "the same", name);
}

void
logging_read(struct target *to)
{
	const struct conf_statement *seen = NULL;

	for (const struct conf_statement *at = to->settings->conf.statements;
	    at != NULL; at = at->next) {
		const struct conf_statement *list;

		if (!conf_is(at, "logging"))
			continue;
		if (seen != NULL)
			conf_error(&to->settings->conf, at,
			    "'logging' redefined near 'logging'");
		seen = at;
		list = value_block(to, at, at->items->next);
		for (const struct conf_statement *each = list; each != NULL;
		    each = each->next) {
			if (conf_is(each, "channel"))
				check_channel(to, each);
			else if (conf_is(each, "category"))
				check_category(to, list, each);
			else
				conf_error(&to->settings->conf, each, "unknown "
				    "option '%s'", each->items->text != NULL ?
				    each->items->text : "{");
		}
	}
}
