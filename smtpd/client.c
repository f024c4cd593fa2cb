/*
 * What the administrator's lists say of a client.
 *
 * They are asked when it is known who it is, before the greeting, and once
 * more after XCLIENT: so who needs it later does not wait for a table.
 */

#include "smtpd/client.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/network.h"
#include "smtpd/check/check.h"
#include "smtpd/smtpd.h"
#include "table/maps.h"
#include "table/match.h"

static struct match_list *mynetworks, *exempt, *traced,
    *may_send_bare_newlines;
static struct maps *rewritten;	/* the tables in local_header_rewrite_clients */

static void
open_rewritten(void)
{
	char *list = mem_strdup(config.local_header_rewrite_clients);
	char *cursor = list, *word;
	struct text tables = TEXT_EMPTY;

	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL) {
		if (strchr(word, ':') != NULL)
			text_printf(&tables, "%s ", word);
	}
	rewritten = maps_open("local_header_rewrite_clients",
	    text_string(&tables));
	text_clear(&tables);
	free(list);
}

/* What is not served as main.cf has it is told. */
static void
open_bare_newlines(void)
{
	const char *how = config.smtpd_forbid_bare_newline;

	may_send_bare_newlines = match_list_open(
	    "smtpd_forbid_bare_newline_exclusions",
	    config.smtpd_forbid_bare_newline_exclusions);
	if (text_equal_nocase(how, "no"))
		log_warning("smtpd_forbid_bare_newline = no would let one "
		    "message be smuggled behind another: it is normalize here");
	else if (!list_has_word("yes normalize note reject", how))
		log_warning("smtpd_forbid_bare_newline = %s: expected "
		    "normalize, yes, note, reject or no; it is normalize here",
		    how);
}

void
client_open(void)
{
	mynetworks = match_list_open("mynetworks", config.mynetworks);
	exempt = match_list_open("smtpd_client_event_limit_exceptions",
	    config.smtpd_client_event_limit_exceptions);
	traced = match_list_open("debug_peer_list", config.debug_peer_list);
	open_bare_newlines();
	open_rewritten();
}

bool
client_is_mynetworks(const struct session *s, bool *failed)
{
	enum table_answer answer = match_client(mynetworks, s->client_name,
	    &s->address.any);

	*failed = answer == TABLE_ERROR;
	return answer == TABLE_FOUND;
}

static bool
is_in(const struct session *s, struct match_list *list)
{
	return match_client(list, s->client_name, &s->address.any) ==
	    TABLE_FOUND;
}

static bool
is_rewritten(const struct session *s)
{
	const char *list = config.local_header_rewrite_clients, *value;
	bool failed;

	return (list_has_word(list, "permit_inet_interfaces") &&
	    network_is_own(&s->address.any)) ||
	    (list_has_word(list, "permit_mynetworks") &&
	    client_is_mynetworks(s, &failed)) ||
	    maps_find(rewritten, s->client_address, &value) == TABLE_FOUND;
}

bool
client_learn(struct session *s, tables_done *again)
{
	told_begin_tables(s);
	s->is_exempt = is_in(s, exempt);
	s->is_traced = config.debug_peer_level > 0 && is_in(s, traced);
	s->is_rewritten = is_rewritten(s);
	s->refuses_bare_newline = !smtpd_is_alone &&
	    text_equal_nocase(config.smtpd_forbid_bare_newline, "reject") &&
	    !is_in(s, may_send_bare_newlines);
	s->may_xverp = xclient_may_verp(s);
	if (!s->was_xclient)
		xclient_authorize(s);
	if (!told_end_tables_or(s, again))
		return false;
	tables_forget_unasked(s);
	return true;
}

void
client_note_bare_newline(struct session *s)
{
	if (smtpd_is_alone || s->noted_bare_newline ||
	    !text_equal_nocase(config.smtpd_forbid_bare_newline, "note"))
		return;
	s->noted_bare_newline = true;
	log_info("notice: bare <LF> received after %s from %s", s->where,
	    s->peer);
}
