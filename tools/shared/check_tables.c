/* postroad check: the tables that main.cf names, and the domains in its lists. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/report.h"
#include "config/values.h"
#include "table/asker.h"
#include "table/maps.h"
#include "table/match.h"
#include "table/table.h"
#include "tools/shared/check_parts.h"

/* A table, or a file of patterns. What is wrong with it is in why. */
static bool
can_be_read(const char *word, struct text *why)
{
	struct table *table;
	const char *value;
	bool can;

	if (*word == '/') {
		can = access(word, R_OK) == 0;
		if (!can)
			text_puts(why, strerror(errno));
		return can;
	}
	table = table_open(word, TABLE_QUIET);
	can = table_get(table, "postroad-check", &value) != TABLE_ERROR;
	if (!can)
		text_printf(why, "%s%s", table_why(table),
		    strstr(table_why(table), "open database") != NULL
		    ? "; run postmap (or newaliases)" : "");
	table_close(&table);
	return can;
}

/* What a list names can be read. A table that was looked at already, for another parameter, is in seen. */
static int
check_tables_of(const char *parameter, const char *list, struct map *seen)
{
	char *copy = mem_strdup(list), *cursor = copy, *word;
	struct text why = TEXT_EMPTY;
	const char *wrong = NULL;
	int errors = 0;

	while ((word = config_word(&cursor, &wrong)) != NULL) {
		word += strspn(word, "!");
		if (*word == '[' || (*word != '/' && strchr(word, ':') == NULL))
			continue;
		if (map_set(seen, word, seen) != NULL)
			continue;
		text_truncate(&why, 0);
		if (!can_be_read(word, &why)) {
			log_error("%s: %s: %s", parameter, word,
			    text_string(&why));
			errors++;
		}
	}
	if (wrong != NULL) {
		log_error("%s = %s: %s", parameter, list, wrong);
		errors++;
	}
	text_clear(&why);
	free(copy);
	return errors;
}

/*
 * Where a look-up stands in the middle of something that cannot wait: no server
 * is asked there, so that one that is late does not hold all mail up.
 */
static int
check_near_tables(void)
{
	static const char *const near[] = { "debug_peer_list",
	    "default_delivery_status_filter", "local_delivery_status_filter",
	    "postscreen_allowlist_interfaces", "smtp_body_checks",
	    "smtp_connection_cache_destinations",
	    "smtp_delivery_status_filter", "smtp_dns_reply_filter",
	    "smtp_header_checks", "smtp_mime_header_checks",
	    "smtp_nested_header_checks", "smtp_reply_filter",
	    "smtpd_dns_reply_filter" };
	int errors = 0;

	for (size_t i = 0; i < COUNT_OF(near); i++) {
		char *list = mem_strdup(config_get(near[i]));
		char *cursor = list, *word;
		const char *wrong = NULL;

		while ((word = config_word(&cursor, &wrong)) != NULL) {
			word += strspn(word, "!");
			if (!table_is_far(word))
				continue;
			log_error("%s: %s: a table of a server is not used "
			    "here, since mail would wait for it; use a file",
			    near[i], word);
			errors++;
		}
		free(list);
	}
	return errors;
}

/* RFC 5321 section 4.5.1 wants somebody there. */
static void
check_postmaster(void)
{
	struct maps *aliases = maps_open("alias_maps", config.alias_maps);
	const char *value;

	if (maps_find(aliases, "postmaster", &value) == TABLE_NONE)
		log_warning("alias_maps has no postmaster: add \"postmaster: "
		    "root\" to the aliases, and run newaliases");
	maps_close(&aliases);
}

/* What a parameter is called whose value is a list of tables, or may name some. */
static bool
lists_tables(const char *name)
{
	static const char *const endings[] = { "_checks", "_clients",
	    "_command_filter", "_domains", "_exceptions", "_hosts", "_maps",
	    "_networks", "_reply_filter", "_status_filter", "mydestination", "mynetworks" };

	for (size_t i = 0; i < COUNT_OF(endings); i++)
		if (text_ends_with(name, endings[i]))
			return strcmp(name, "proxy_read_maps") != 0;
	return false;
}

/* First what main.cf sets, so that the message names that, and not a parameter whose default it is. */
int
check_tables(void)
{
	struct map *seen = map_new();
	int errors = 0;

	for (int defaults = 0; defaults < 2; defaults++)
		for (size_t i = 0; i < config_parameter_count; i++) {
			const char *name = config_parameters[i].name;
			bool is_default = config_definition(name, NULL, NULL)
			    == NULL;

			if (is_default == defaults && lists_tables(name))
				errors += check_tables_of(name,
				    config_get(name), seen);
		}
	map_free(&seen, NULL);
	errors += check_near_tables();
	if (errors == 0)
		check_postmaster();
	return errors;
}

/* Is this word of one class's list in another one's, too? */
static int
check_class_word(const char *word, const char *parameter, const char *other,
    const char *list)
{
	struct match_list *domains = match_list_open(other, list);
	bool is_there = match_string(domains, word) == TABLE_FOUND;

	if (is_there)
		log_error("do not list domain %s in BOTH %s and %s", word,
		    parameter, other);
	match_list_close(&domains);
	return is_there;
}

/* A domain has one class; in two, trivial-rewrite takes the first. mydestination may stand in relay_domains. */
int
check_classes(void)
{
	const struct { const char *parameter, *list; } classes[] = {
		{ "mydestination", config.mydestination },
		{ "virtual_alias_domains", config.virtual_alias_domains },
		{ "virtual_mailbox_domains", config.virtual_mailbox_domains },
		{ "relay_domains", config.relay_domains },
	};
	int errors = 0;

	for (size_t i = 0; i < COUNT_OF(classes); i++) {
		char *copy = mem_strdup(classes[i].list), *cursor = copy, *word;
		size_t last = i == 0 ? COUNT_OF(classes) - 1 : COUNT_OF(classes);

		while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL) {
			if (strpbrk(word, "/:![.") == word ||
			    strchr(word, ':') != NULL)
				continue;
			for (size_t j = i + 1; j < last; j++)
				errors += check_class_word(word,
				    classes[i].parameter,
				    classes[j].parameter, classes[j].list);
		}
		free(copy);
	}
	return errors;
}

/* Mail for a user without domain is completed with myorigin: there it must find somebody. */
int
check_origin(void)
{
	struct match_list *aliases = match_list_open("virtual_alias_domains",
	    config.virtual_alias_domains);

	if (match_string(aliases, config.myorigin) == TABLE_FOUND)
		log_warning("do not list $myorigin (%s) in "
		    "virtual_alias_domains: mail to local users goes there "
		    "when it has no domain", config.myorigin);
	match_list_close(&aliases);
	return 0;
}
