/*
 * access(5) tables: what is looked up, and what the answer means.
 *
 * A client is looked up by name and parent domains, then by address and its
 * leading parts; an address as user@domain, domain and parents, user@.
 */

#include "smtpd/smtpd.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "config/config.h"
#include "table/table.h"

/* What is being looked up, as the reply will name it. */
struct subject {
	const char	*name;
	const char	*class;
	enum table_answer answer;
	const char	*value;
};

/* Look up one key. True when there is no need to look further. */
static bool
try_key(const struct check *check, struct subject *subject, const char *key)
{
	subject->answer = table_get(check->table, key, &subject->value);
	return subject->answer != TABLE_NONE;
}

/* The same for a part of what is looked up, which patterns do not want. */
static bool
try_part(const struct check *check, struct subject *subject, const char *key)
{
	return !table_is_pattern(check->table) && try_key(check, subject, key);
}

/* "a.b.c", "b.c", "c"; or ".b.c", ".c" where parents are written with a dot. */
static bool
try_domain(const struct check *check, struct subject *subject,
    const char *domain, bool is_part)
{
	bool plain = strstr(config.parent_domain_matches_subdomains,
	    "smtpd_access_maps") != NULL;

	if (is_part ? try_part(check, subject, domain)
	    : try_key(check, subject, domain))
		return true;
	while ((domain = strchr(domain, '.')) != NULL) {
		if (try_part(check, subject, plain ? domain + 1 : domain))
			return true;
		domain++;
	}
	return false;
}

/* 192.0.2.1, 192.0.2, 192.0, 192; likewise with colons. */
static bool
try_network(const struct check *check, struct subject *subject,
    const char *address)
{
	char part[INET6_ADDRSTRLEN], *cut;
	char separator = strchr(address, ':') != NULL ? ':' : '.';

	if (try_key(check, subject, address))
		return true;
	strlcpy(part, address, sizeof(part));
	do {
		if (try_part(check, subject, part))
			return true;
		cut = strrchr(part, separator);
		if (cut != NULL)
			*cut = '\0';
	} while (cut != NULL && part[0] != '\0');
	return false;
}

static bool
try_address(const struct check *check, struct subject *subject,
    const char *address)
{
	const char *domain = address_domain(address);
	size_t local = address_localpart_length(address);
	size_t base = address_base_length(address, local,
	    config.recipient_delimiter);
	char key[ADDRESS_SIZE + 2];

	if (try_key(check, subject, address))
		return true;
	if (base < local && domain != NULL) {
		snprintf(key, sizeof(key), "%.*s@%s", (int)base, address,
		    domain);
		if (try_part(check, subject, key))
			return true;
	}
	if (domain != NULL && try_domain(check, subject, domain, true))
		return true;
	snprintf(key, sizeof(key), "%.*s@", (int)local, address);
	if (try_part(check, subject, key))
		return true;
	if (base == local)
		return false;
	snprintf(key, sizeof(key), "%.*s@", (int)base, address);
	return try_part(check, subject, key);
}

/* What the answer means. */

/* "5.7.1 text": the status is the table's. text is what is left, or the preset. */
static enum verdict
refuse(struct session *s, const struct subject *subject, int code,
    const char *preset_status, const char *text)
{
	char status[SMTP_STATUS_SIZE];
	size_t length = smtp_status_parse(text, strlen(text), status);

	text += length;
	text += strspn(text, " \t");
	return check_refuse(s, code, length > 0 ? status : preset_status,
	    "<%s>: %s rejected: %s", subject->name, subject->class,
	    *text == '\0' ? "Access denied" : text);
}

static enum verdict
say_and_go_on(struct session *s, const struct subject *subject,
    const char *action, const char *text)
{
	struct text line = TEXT_EMPTY;

	text_printf(&line, "<%s>: %s %s", subject->name, subject->class, text);
	report_action(s, action, text_string(&line));
	text_clear(&line);
	return VERDICT_NONE;
}

/* HOLD and DISCARD say what becomes of the message, and no more. */
static enum verdict
set_flag(struct session *s, const struct subject *subject, unsigned flag,
    const char *action, const char *text)
{
	if (s->transaction == NULL)
		return VERDICT_NONE;
	s->transaction->envelope->flags |= flag;
	say_and_go_on(s, subject, action, text);
	return flag == ENVELOPE_DISCARD ? VERDICT_PERMIT : VERDICT_NONE;
}

/* Compiled once for each text that tables hold, which are few. */
static const struct check_list *
list_of(const char *words)
{
	static struct map *lists;
	const struct check_list *list;

	if (lists == NULL)
		lists = map_new();
	list = map_get(lists, words);
	if (list == NULL && map_count(lists) < 1000) {
		list = check_list_compile("an access table", words, NULL);
		map_set(lists, words, (void *)(uintptr_t)list);
	}
	return list;
}

/* "554 text". Digits alone are OK: that is how tables of clients that logged in by POP are made. */
static enum verdict
act_on_number(struct session *s, const struct subject *subject,
    const char *value)
{
	int code = atoi(value);
	const char *text = value + 3;

	if (strspn(value, "0123456789") == strlen(value))
		return VERDICT_PERMIT;
	if (code < 400 || code > 599 || (value[3] != ' ' && value[3] != '\t')) {
		log_warning("access table: bad reply code in \"%s\"", value);
		return check_misconfigured(s);
	}
	text += strspn(text, " \t");
	return refuse(s, subject, code, code < 500 ? "4.7.1" : "5.7.1", text);
}

static bool
is_later(const char *word)
{
	static const char *const later[] = {
		"DEFER_IF_PERMIT", "DEFER_IF_REJECT", "FILTER", "REDIRECT",
		"PREPEND", "BCC",
	};

	for (size_t i = 0; i < COUNT_OF(later); i++)
		if (text_equal_nocase(word, later[i]))
			return true;
	return false;
}

static enum verdict
act(struct session *s, const struct check *check,
    const struct subject *subject)
{
	char word[64];
	size_t length = strcspn(subject->value, " \t");
	const char *text = subject->value + length;

	snprintf(word, sizeof(word), "%.*s", (int)length, subject->value);
	text += strspn(text, " \t");
	if (isdigit((unsigned char)word[0]))
		return act_on_number(s, subject, subject->value);
	if (text_equal_nocase(word, "OK") ||
	    text_equal_nocase(word, "RELAY"))
		return VERDICT_PERMIT;
	if (text_equal_nocase(word, "DUNNO"))
		return VERDICT_NONE;
	if (text_equal_nocase(word, "REJECT"))
		return refuse(s, subject, 554, "5.7.1", text);
	if (text_equal_nocase(word, "DEFER"))
		return refuse(s, subject, 450, "4.7.1", text);
	if (text_equal_nocase(word, "WARN"))
		return say_and_go_on(s, subject, "warn", text);
	if (text_equal_nocase(word, "INFO"))
		return say_and_go_on(s, subject, "info", text);
	if (text_equal_nocase(word, "HOLD"))
		return set_flag(s, subject, ENVELOPE_HOLD, "hold", text);
	if (text_equal_nocase(word, "DISCARD"))
		return set_flag(s, subject, ENVELOPE_DISCARD, "discard", text);
	if (is_later(word)) {
		log_warning("access table %s: action %s is not implemented "
		    "yet", table_name(check->table), word);
		return check_misconfigured(s);
	}
	return checks_enter_list(s, list_of(subject->value));
}

static enum verdict
conclude(struct session *s, const struct check *check,
    const struct subject *subject)
{
	if (subject->answer == TABLE_NONE)
		return VERDICT_NONE;
	if (subject->answer == TABLE_FOUND)
		return act(s, check, subject);
	return check_refuse(s, 451, "4.3.5",
	    "<%s>: %s rejected: Server configuration error", subject->name,
	    subject->class);
}

enum verdict
access_client(struct session *s, const struct check *check)
{
	struct subject subject = { .name = s->peer, .class = "Client host" };

	if (!try_domain(check, &subject, s->client_name, false))
		try_network(check, &subject, s->client_address);
	return conclude(s, check, &subject);
}

enum verdict
access_helo(struct session *s, const struct check *check)
{
	struct subject subject = { .name = s->helo_name,
	    .class = "Helo command" };

	try_domain(check, &subject, s->helo_name, false);
	return conclude(s, check, &subject);
}

enum verdict
access_sender(struct session *s, const struct check *check)
{
	struct subject subject = { .name = session_sender(s),
	    .class = "Sender address" };

	if (subject.name[0] == '\0')
		try_key(check, &subject, "<>");
	else
		try_address(check, &subject, subject.name);
	return conclude(s, check, &subject);
}

enum verdict
access_recipient(struct session *s, const struct check *check)
{
	struct subject subject = { .name = session_recipient(s),
	    .class = "Recipient address" };

	try_address(check, &subject, subject.name);
	return conclude(s, check, &subject);
}
