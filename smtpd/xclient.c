/*
 * XCLIENT and XFORWARD: a proxy in front of us says who its client is.
 *
 * XCLIENT makes the session the client's: its name, its address, its HELO,
 * for checks and for the log. XFORWARD is for the log alone. Only who is in
 * smtpd_authorized_xclient_hosts, smtpd_authorized_xforward_hosts may.
 */

#include "smtpd/client.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "config/config.h"
#include "smtpd/dialogue.h"
#include "smtpd/smtpd.h"
#include "table/match.h"

#define VALUE_MAX	256

static struct match_list *xclient_hosts, *xforward_hosts, *verp_clients;

void
xclient_open(void)
{
	xclient_hosts = match_list_open("smtpd_authorized_xclient_hosts",
	    config.smtpd_authorized_xclient_hosts);
	xforward_hosts = match_list_open("smtpd_authorized_xforward_hosts",
	    config.smtpd_authorized_xforward_hosts);
	verp_clients = match_list_open("smtpd_authorized_verp_clients",
	    config.smtpd_authorized_verp_clients);
}

bool
xclient_may_verp(const struct session *s)
{
	return !smtpd_is_alone && match_client(verp_clients, s->client_name,
	    &s->address.any) == TABLE_FOUND;
}

/* By the connection's own address: what a proxy says of its client gives that one no rights. */
void
xclient_authorize(struct session *s)
{
	s->may_xclient = match_client(xclient_hosts, s->client_name,
	    &s->address.any) == TABLE_FOUND;
	s->may_xforward = match_client(xforward_hosts, s->client_name,
	    &s->address.any) == TABLE_FOUND;
}

/* Values. "[UNAVAILABLE]" and "[TEMPUNAVAIL]" are "" here. */

static bool
is_unavailable(const char *value)
{
	return text_equal_nocase(value, "[UNAVAILABLE]") ||
	    text_equal_nocase(value, "[TEMPUNAVAIL]");
}

static bool
set_name(struct session *s, const char *value, char **name)
{
	if (*value != '\0' && !hostname_is_valid(value, strlen(value)))
		return false;
	free(*name);
	*name = *value == '\0' ? NULL : mem_strdup(value);
	return true;
}

static bool
set_client_name(struct session *s, const char *value)
{
	if (!set_name(s, *value == '\0' ? "unknown" : value, &s->client_name))
		return false;
	return true;
}

static bool
set_reverse_name(struct session *s, const char *value)
{
	return set_name(s, value, &s->reverse_name);
}

static bool
set_address(struct session *s, const char *value)
{
	union resolve_address address = { .any.sa_family = AF_UNSPEC };

	if (strncasecmp(value, "IPV6:", 5) == 0) {
		if (inet_pton(AF_INET6, value + 5,
		    &address.v6.sin6_addr) != 1)
			return false;
		address.v6.sin6_family = AF_INET6;
		value += 5;
	} else if (*value != '\0') {
		if (inet_pton(AF_INET, value, &address.v4.sin_addr) != 1)
			return false;
		address.v4.sin_family = AF_INET;
	}
	address.v4.sin_port = s->address.v4.sin_port;
	s->address = address;
	strlcpy(s->client_address, *value == '\0' ? "unknown" : value,
	    sizeof(s->client_address));
	return true;
}

static bool
set_port(struct session *s, const char *value)
{
	const char *error = NULL;
	long long port = *value == '\0' ? 0 : strtonum(value, 1, 65535, &error);

	if (error != NULL)
		return false;
	s->address.v4.sin_port = htons((uint16_t)port);
	return true;
}

static bool
set_helo(struct session *s, const char *value)
{
	free(s->helo_name);
	s->helo_name = *value == '\0' ? NULL
	    : text_printable(mem_strdup(value));
	return true;
}

static bool
set_protocol(struct session *s, const char *value)
{
	s->esmtp = text_equal_nocase(value, "ESMTP");
	return *value == '\0' || s->esmtp || text_equal_nocase(value, "SMTP");
}

static bool
ignore(struct session *s, const char *value)
{
	return true;
}

static bool
keep_forwarded(struct session *s, const char *value, char **where)
{
	free(*where);
	*where = *value == '\0' ? NULL : text_printable(mem_strdup(value));
	return true;
}

static bool
forward_name(struct session *s, const char *value)
{
	return keep_forwarded(s, value, &s->forwarded_name);
}

static bool
forward_address(struct session *s, const char *value)
{
	unsigned char unused[16];
	bool is_v6 = strncasecmp(value, "IPV6:", 5) == 0;

	if (is_v6)
		value += 5;
	if (*value != '\0' &&
	    inet_pton(is_v6 ? AF_INET6 : AF_INET, value, unused) != 1)
		return false;
	return keep_forwarded(s, value, &s->forwarded_address);
}

static bool
forward_ident(struct session *s, const char *value)
{
	return keep_forwarded(s, value, &s->forwarded_ident);
}

static bool
check_port(struct session *s, const char *value)
{
	const char *error = NULL;

	if (*value != '\0')
		strtonum(value, 0, 65535, &error);
	return error == NULL;
}

/* The address that the client called: it is not needed, but must be one. */
static bool
check_own_address(struct session *s, const char *value)
{
	unsigned char unused[16];
	bool is_v6 = strncasecmp(value, "IPV6:", 5) == 0;

	return *value == '\0' || inet_pton(is_v6 ? AF_INET6 : AF_INET,
	    is_v6 ? value + 5 : value, unused) == 1;
}

static bool
check_source(struct session *s, const char *value)
{
	return *value == '\0' || text_equal_nocase(value, "LOCAL") ||
	    text_equal_nocase(value, "REMOTE");
}

struct attribute {
	const char	*name;
	bool		(*set)(struct session *, const char *value);
};

static const struct attribute of_client[] = {
	{ "NAME", set_client_name },
	{ "ADDR", set_address },
	{ "PORT", set_port },
	{ "PROTO", set_protocol },
	{ "HELO", set_helo },
	{ "REVERSE_NAME", set_reverse_name },
	{ "LOGIN", ignore },		/* nobody logs in yet: it opens no door */
	{ "DESTADDR", check_own_address },
	{ "DESTPORT", check_port },
	{ NULL, NULL },
};

static const struct attribute of_forwarded[] = {
	{ "NAME", forward_name },
	{ "ADDR", forward_address },
	{ "PORT", check_port },
	{ "PROTO", ignore },
	{ "HELO", ignore },
	{ "IDENT", forward_ident },
	{ "SOURCE", check_source },
	{ NULL, NULL },
};

/* Set one "NAME=value". False after a reply. */
static bool
set_attribute(struct session *s, const struct attribute *attributes,
    char *word)
{
	char value[VALUE_MAX], *equals = strchr(word, '=');

	if (equals == NULL || equals[1] == '\0') {
		session_reply(s, "501 5.5.4 Error: attribute=value expected");
		return false;
	}
	*equals++ = '\0';
	while (attributes->name != NULL &&
	    !text_equal_nocase(attributes->name, word))
		attributes++;
	if (attributes->name == NULL) {
		session_reply(s, "501 5.5.4 Bad %s attribute name: %s",
		    s->where, word);
		return false;
	}
	if (strlen(equals) >= sizeof(value)) {
		session_reply(s, "501 5.5.4 Error: attribute value too long");
		return false;
	}

	bool is_good = smtp_xtext_decode(equals, strlen(equals), value,
	    sizeof(value)) == 0;

	if (is_good && is_unavailable(value))
		value[0] = '\0';
	if (!is_good || !attributes->set(s, value)) {
		session_reply(s, "501 5.5.4 Bad %s syntax: %s",
		    attributes->name, equals);
		return false;
	}
	return true;
}

static bool
set_attributes(struct session *s, const struct attribute *attributes,
    const struct smtp_command *command)
{
	char *words = mem_strndup(command->argument, command->argument_length);
	char *cursor = words, *word;
	bool good = true;

	while (good && (word = word_next(&cursor, " \t")) != NULL)
		good = set_attribute(s, attributes, word);
	free(words);
	return good;
}

static bool
is_permitted(struct session *s, bool authorized,
    const struct smtp_command *command)
{
	if (s->transaction != NULL)
		session_reply(s, "503 5.5.1 Error: MAIL transaction in progress");
	else if (command->argument_length == 0)
		session_reply(s, "501 5.5.4 Syntax: %s attribute=value...",
		    s->where);
	else if (!authorized)
		session_reply(s, "550 5.7.0 Error: insufficient authorization");
	else
		return true;
	return false;
}

void
xclient(struct session *s, const struct smtp_command *command)
{
	if (!is_permitted(s, s->may_xclient, command))
		return;

	/* A new client, as far as he goes; his HELO is still to come unless it is told. */
	char *helo = s->helo_name;
	bool was_esmtp = s->esmtp;

	s->helo_name = NULL;
	s->esmtp = false;
	if (!set_attributes(s, of_client, command)) {
		free(s->helo_name);
		s->helo_name = helo;
		s->esmtp = was_esmtp;
		return;
	}
	free(helo);
	s->was_xclient = true;
	session_enter(s, s->helo_name == NULL ? CONNECTED : GREETED,
	    "XCLIENT");
	greet_again(s);
}

void
xforward(struct session *s, const struct smtp_command *command)
{
	if (is_permitted(s, s->may_xforward, command) &&
	    set_attributes(s, of_forwarded, command))
		session_reply(s, "250 2.0.0 Ok");
}

void
xforward_forget(struct session *s)
{
	keep_forwarded(s, "", &s->forwarded_name);
	keep_forwarded(s, "", &s->forwarded_address);
	keep_forwarded(s, "", &s->forwarded_ident);
}

void
xforward_describe(const struct session *s, struct text *line)
{
	if (s->forwarded_ident != NULL)
		text_printf(line, ", orig_queue_id=%s", s->forwarded_ident);
	if (s->forwarded_name != NULL || s->forwarded_address != NULL)
		text_printf(line, ", orig_client=%s[%s]",
		    s->forwarded_name == NULL ? "unknown" : s->forwarded_name,
		    s->forwarded_address == NULL ? "unknown"
		    : s->forwarded_address);
}
