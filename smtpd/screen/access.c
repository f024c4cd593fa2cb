/*
 * postscreen_access_list: who is let in without a test, or kept out.
 *
 * Words in their order; a table has words for an address. What cannot be
 * known or understood ends the list, and the client is tested as others are.
 */

#include "smtpd/screen/screen.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/values.h"
#include "smtpd/check/check.h"
#include "smtpd/client.h"
#include "table/match.h"

/* A word of the list: one that decides, or a table that is asked. */
struct entry {
	char		*word;
	struct table	*table;
};

static struct entry *entries;
static size_t entry_count;
static struct match_list *interfaces;

static const char *const words[] = { "permit_mynetworks", "permit", "reject",
    "dunno" };

void
screen_audit(void)
{
	for (size_t i = 0; i < entry_count; i++) {
		const char *word = entries[i].word, *value;
		bool is_known = entries[i].table != NULL;

		for (size_t j = 0; j < COUNT_OF(words); j++)
			is_known |= text_equal_nocase(word, words[j]);
		if (!is_known)
			log_error("postscreen_access_list: %s is none of "
			    "permit_mynetworks, permit, reject, dunno, and no "
			    "table: it and the words behind it do nothing",
			    word);
		else if (entries[i].table != NULL)	/* which tells what is wrong */
			table_get(entries[i].table, "192.0.2.1", &value);
	}
}

void
screen_access_open(void)
{
	char *cursor = mem_strdup(config.postscreen_access_list), *word;
	const char *wrong = NULL;

	while ((word = config_word(&cursor, &wrong)) != NULL) {
		entries = mem_resize(entries, entry_count + 1,
		    sizeof(*entries));
		entries[entry_count++] = (struct entry){ word,
		    strchr(word, ':') == NULL ? NULL : table_open(word, 0) };
	}
	if (wrong != NULL)
		fatal("postscreen_access_list: %s", wrong);
	interfaces = match_list_open("postscreen_allowlist_interfaces",
	    config.postscreen_allowlist_interfaces);
}

static enum screen_access
give_up(const char *where, const char *what, const char *word)
{
	log_warning("%s: %s%s -- ignoring the remainder of this access list",
	    where, what, word);
	return ACCESS_ERROR;
}

static enum screen_access
judge(struct session *s, const char *where, const char *word)
{
	bool failed = false;

	if (text_equal_nocase(word, "permit"))
		return ACCESS_PERMIT;
	if (text_equal_nocase(word, "reject"))
		return ACCESS_REJECT;
	if (text_equal_nocase(word, "dunno"))
		return ACCESS_DUNNO;
	if (!text_equal_nocase(word, "permit_mynetworks"))
		return give_up(where, "unknown command: ", word);
	told_begin_tables(s);

	bool is_one = client_is_mynetworks(s, &failed);

	if (!told_end_tables(s))
		return ACCESS_WAIT;
	if (is_one)
		return ACCESS_PERMIT;
	return failed ? give_up(where, "mynetworks lookup error", "") :
	    ACCESS_NONE;
}

/* What a table says: words again. "dunno" there goes on behind the table. */
static enum screen_access
judge_value(struct session *s, const char *where, const char *value)
{
	char *words = mem_strdup(value), *cursor = words, *word;
	enum screen_access access = ACCESS_NONE;

	while (access == ACCESS_NONE &&
	    (word = word_next(&cursor, LIST_SEPARATORS)) != NULL)
		access = judge(s, where, word);
	free(words);
	return access == ACCESS_DUNNO ? ACCESS_NONE : access;
}

static enum screen_access
ask_table(struct session *s, struct table *table)
{
	enum table_answer answer;
	const char *value;

	if (!told_table(s, table, s->client_address, &answer, &value))
		return ACCESS_WAIT;
	switch (answer) {
	case TABLE_FOUND:
		return judge_value(s, table_name(table), value);
	case TABLE_NONE:
		return ACCESS_NONE;
	case TABLE_ERROR:
		break;
	}
	return give_up(table_name(table), "table lookup error", "");
}

enum screen_access
screen_access(struct session *s)
{
	enum screen_access access = ACCESS_NONE;

	for (size_t i = 0; i < entry_count && access == ACCESS_NONE; i++)
		access = entries[i].table != NULL ?
		    ask_table(s, entries[i].table) :
		    judge(s, "postscreen_access_list", entries[i].word);
	return access;
}

bool
screen_passes_here(struct session *s)
{
	union resolve_address server = s->server;
	socklen_t size = sizeof(server);

	if (server.any.sa_family == AF_UNSPEC &&
	    getsockname(s->fd, &server.any, &size) == -1)
		return true;
	return match_client(interfaces, NULL, &server.any) == TABLE_FOUND;
}
