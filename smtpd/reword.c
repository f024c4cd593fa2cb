/*
 * What the administrator changes on the wire: commands as they come in
 * (smtpd_command_filter), refusals as they go out (smtpd_reject_filter_maps,
 * smtpd_reject_footer), what EHLO offers.
 */

#include "smtpd/dialogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "address/address.h"
#include "config/config.h"
#include "config/expand.h"
#include "smtpd/check/check.h"
#include "table/maps.h"
#include "table/match.h"

static struct maps *refusals;

/* For who is served, and for who is tested first (screen.h). */
static struct rewording {
	struct table	*commands;
	struct match_list *forbidden;
	struct maps	*footers, *keywords;
	const char	*const *footer, *const *discarded;
} served = { .footer = &config.smtpd_reject_footer,
    .discarded = &config.smtpd_discard_ehlo_keywords },
    tested = { .footer = &config.postscreen_reject_footer,
    .discarded = &config.postscreen_discard_ehlo_keywords };

static const struct rewording *
rewording_of(const struct session *s)
{
	return s->screening != NULL ? &tested : &served;
}

static struct table *
open_commands(const char *name)
{
	return *name == '\0' ? NULL : table_open(name, TABLE_KEEP_CASE);
}

void
reword_open(void)
{
	refusals = maps_open("smtpd_reject_filter_maps",
	    config.smtpd_reject_filter_maps);
	served.forbidden = match_list_open("smtpd_forbidden_commands",
	    config.smtpd_forbidden_commands);
	served.commands = open_commands(config.smtpd_command_filter);
	served.footers = maps_open("smtpd_reject_footer_maps",
	    config.smtpd_reject_footer_maps);
	served.keywords = maps_open("smtpd_discard_ehlo_keyword_address_maps",
	    config.smtpd_discard_ehlo_keyword_address_maps);
	if (!config.smtpd_screening)
		return;
	/* Raw, since what a footer names is known only later: but for this name. */
	if (strcmp(config.postscreen_reject_footer, "$smtpd_reject_footer") == 0)
		tested.footer = served.footer;
	tested.forbidden = match_list_open("postscreen_forbidden_commands",
	    config.postscreen_forbidden_commands);
	tested.commands = open_commands(config.postscreen_command_filter);
	tested.footers = maps_open("postscreen_reject_footer_maps",
	    config.postscreen_reject_footer_maps);
	tested.keywords = maps_open(
	    "postscreen_discard_ehlo_keyword_address_maps",
	    config.postscreen_discard_ehlo_keyword_address_maps);
}

/* What was asked here is asked again by the line of input, which waits. */
static void
read_on(struct session *s)
{
}

bool
reword_command(struct session *s, const char *line, size_t length,
    const char **other)
{
	struct table *commands = rewording_of(s)->commands;
	enum table_answer answer;
	char *key;

	*other = NULL;
	if (commands == NULL)
		return true;
	while (length > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		length--;
	}
	key = mem_strndup(line, length);
	told_begin_tables(s);
	answer = table_get(commands, key, other);
	if (answer == TABLE_FOUND)
		log_info("%s: replacing client command \"%.100s\" with "
		    "\"%.100s\"", s->peer, text_printable(key), *other);
	free(key);
	if (!told_end_tables_or(s, read_on))
		return false;
	if (answer == TABLE_ERROR) {
		session_reply(s, "421 4.3.0 %s Server local data error",
		    config.myhostname);
		session_finish(s);
	}
	return true;
}

bool
reword_forbids(struct session *s, const char *line, size_t length,
    bool *is_forbidden)
{
	char word[64];
	size_t end = 0;

	while (length > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		length--;
	}
	while (end < length && end < sizeof(word) - 1 && line[end] != ' ' &&
	    line[end] != '\t')
		end++;
	memcpy(word, line, end);
	word[end] = '\0';
	told_begin_tables(s);
	*is_forbidden = match_string(rewording_of(s)->forbidden, word) ==
	    TABLE_FOUND;
	return told_end_tables_or(s, read_on);
}

bool
reword_discarded_keywords(struct session *s, tables_done *again,
    const char **keywords)
{
	const struct rewording *r = rewording_of(s);

	told_begin_tables(s);
	if (maps_find(r->keywords, s->client_address, keywords) != TABLE_FOUND)
		*keywords = *r->discarded;
	return told_end_tables_or(s, again);
}

/* What templates of replies may name. */

static const char *
now(void)
{
	static char text[32];
	time_t seconds = time(NULL);
	struct tm broken;

	strftime(text, sizeof(text), "%b %d %H:%M:%S",
	    localtime_r(&seconds, &broken));
	return text;
}

/* The part of an address before or behind the last @. */
static const char *
part(const char *address, bool of_domain)
{
	static char name[ADDRESS_SIZE];
	const char *domain = address_domain(address);

	if (of_domain)
		return domain == NULL ? "" : domain;
	strlcpy(name, address, sizeof(name));
	name[address_localpart_length(address)] = '\0';
	return name;
}

static const char *
port(const struct session *s)
{
	static char digits[8];

	snprintf(digits, sizeof(digits), "%u", ntohs(s->address.v4.sin_port));
	return digits;
}

const char *
reword_value(const struct session *s, const char *name)
{
	const char *sender = session_sender(s), *recipient =
	    session_recipient(s);
	const struct { const char *name, *value; } values[] = {
		{ "client", s->peer },
		{ "client_address", s->client_address },
		{ "client_name", s->client_name },
		{ "reverse_client_name", s->reverse_name == NULL ? "unknown"
		    : s->reverse_name },
		{ "helo_name", s->helo_name == NULL ? "" : s->helo_name },
		{ "sender", sender },
		{ "recipient", recipient },
		{ "server_name", config.myhostname },
		{ "protocol", s->esmtp ? "ESMTP" : "SMTP" },
	};

	for (size_t i = 0; i < COUNT_OF(values); i++)
		if (strcmp(values[i].name, name) == 0)
			return values[i].value;
	if (strcmp(name, "client_port") == 0)
		return port(s);
	if (strcmp(name, "localtime") == 0)
		return now();
	if (strcmp(name, "sender_domain") == 0)
		return part(sender, true);
	if (strcmp(name, "sender_name") == 0)
		return part(sender, false);
	if (strcmp(name, "recipient_domain") == 0)
		return part(recipient, true);
	if (strcmp(name, "recipient_name") == 0)
		return part(recipient, false);
	return NULL;
}

static const char *
footer_value(const char *name, void *context)
{
	const char *value = reword_value(context, name);

	return value != NULL ? value : config_get(name);
}

/* Refusals. */

/* In other words: code and text. A table that says something else is of no use. */
static void
filter_refusal(struct text *reply)
{
	const char *other;

	if (maps_are_empty(refusals) ||
	    maps_find(refusals, text_string(reply), &other) != TABLE_FOUND)
		return;
	if ((other[0] != '4' && other[0] != '5') ||
	    strspn(other, "0123456789") != 3 || other[3] != ' ') {
		log_warning("smtpd_reject_filter_maps: \"%s\" is not a refusal "
		    "like \"550 5.7.1 text\"", other);
		return;
	}

	char *copy = mem_strdup(other);

	text_truncate(reply, 0);
	text_puts(reply, copy);
	free(copy);
}


/* "\n" is a new line of the reply; what strangers chose must not make one. */
static void
append_footer(struct text *reply, const char *template,
    const struct expansion *expansion)
{
	struct text footer = TEXT_EMPTY, why = TEXT_EMPTY;
	const char *at;

	if (strncmp(template, "\\c", 2) == 0)
		template += 2;
	else
		text_putc(reply, '\n');
	if (expand(expansion, template, &footer, &why) == -1)
		log_warning("smtpd_reject_footer: %s", text_string(&why));
	for (at = text_string(&footer); *at != '\0'; at++) {
		if (at[0] == '\\' && at[1] == 'n') {
			text_putc(reply, '\n');
			at++;
		} else
			text_putc(reply, (unsigned char)*at < ' ' ? '?' : *at);
	}
	text_clear(&footer);
	text_clear(&why);
}

/* What the tables say: other words, and a footer for them. False: they are yet to say it, and the reply is as it was. */
static bool
ask_tables(struct session *s, struct text *reply, struct maps *footers,
    const char **footer, tables_done *again)
{
	struct text first = TEXT_EMPTY;
	const char *found;
	bool is_told;

	text_append(&first, reply->bytes, reply->length);
	told_begin_tables(s);
	filter_refusal(reply);
	if (maps_find(footers, text_string(reply), &found) == TABLE_FOUND)
		*footer = found;
	is_told = told_end_tables_or(s, again);
	if (!is_told) {
		text_truncate(reply, 0);
		text_append(reply, first.bytes, first.length);
	}
	text_clear(&first);
	return is_told;
}

bool
reword_refusal(struct session *s, struct text *reply, tables_done *again)
{
	const struct expansion expansion = { .value = footer_value,
	    .context = s };
	const struct rewording *r = rewording_of(s);
	const char *template = *r->footer;

	if ((!maps_are_empty(refusals) || !maps_are_empty(r->footers)) &&
	    !ask_tables(s, reply, r->footers, &template, again))
		return false;
	if (*template != '\0')
		append_footer(reply, template, &expansion);
	return true;
}
