/*
 * logging - what BIND's channels and categories mean here
 *
 * All lines go to one place, the mail system's log, the terminal or syslog,
 * and its reader sorts them. So channels are checked, and those that would
 * take lines elsewhere are told. The category queries decides, as in BIND,
 * whether questions are logged where querylog says nothing.
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

static bool
is_channel(const struct conf_statement *list, const char *name)
{
	for (; list != NULL; list = list->next)
		if (conf_is(list, "channel") && list->items->next != NULL &&
		    list->items->next->text != NULL &&
		    strcmp(list->items->next->text, name) == 0)
			return true;
	return is_one_of(channels, COUNT_OF(channels), name);
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

static void
check_channel(struct target *to, const struct conf_statement *at)
{
	static const char *const known[] = { "buffered", "file", "null",
	    "print-category", "print-severity", "print-time", "severity",
	    "stderr", "syslog" };

	for (const struct conf_statement *each = named_block(to, at);
	    each != NULL; each = each->next) {
		const char *word = each->items->text;

		if (word == NULL ||
		    !is_one_of(known, COUNT_OF(known), word))
			conf_error(&to->settings->conf, each,
			    "unknown option '%s'", word != NULL ? word : "{");
		else if (strcasecmp(word, "file") == 0)
			conf_warning(each, "channel '%s': lines go to the log "
			    "of this server, not to a file of their own",
			    at->items->next->text);
	}
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
	if (!is_one_of(categories, COUNT_OF(categories), name))
		conf_error(&settings->conf, at, "undefined category: '%s'",
		    name);
	for (; list != NULL; list = list->next) {
		const char *channel = list->items->text;

		if (channel == NULL || !is_channel(all, channel))
			conf_error(&settings->conf, list, "undefined channel: "
			    "'%s'", channel != NULL ? channel : "{");
		else if (strcmp(channel, "null") != 0)
			is_heard = true;
	}
	if (strcasecmp(name, "queries") == 0 && is_heard)
		settings->querylog = true;
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
