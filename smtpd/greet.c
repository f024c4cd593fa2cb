/* Who is it? Connect, HELO, EHLO. */


#include "smtpd/dialogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "config/config.h"
#include "smtpd/checks.h"
#include "smtpd/client.h"
#include "smtpd/screening.h"
#include "smtpd/smtpd.h"
#include "smtpd/transaction.h"

/* The name is known, or known to be unknown: this is the client's turn. */
static void
set_name(struct session *s, const char *name)
{
	free((char *)(uintptr_t)s->peer);
	s->client_name = mem_strdup(name);
	if (config.smtpd_client_port_logging)
		s->peer = mem_printf("%s[%s]:%u", name, s->client_address,
		    ntohs(s->address.v4.sin_port));
	else
		s->peer = mem_printf("%s[%s]", name, s->client_address);
}

static void
say_banner(struct session *s, enum verdict verdict)
{
	const char *why;

	if (!smtpd_is_alone && !checks_are_safe(&why)) {
		log_error("%s", why);
		session_reply(s, "421 4.3.5 %s Error: server configuration "
		    "error", config.myhostname);
		session_finish(s);
	} else if (verdict == VERDICT_PERMIT)
		session_say(s, "220 %s", config.smtpd_banner);
	else
		s->is_refused = true;
}

static void
welcome(struct session *s, bool is_within)
{
	if (is_within)
		checks_run(s,
		    config.smtpd_delay_reject ? 0 : 1 << STAGE_CLIENT,
		    say_banner);
}

static void
greet_known(struct session *s)
{
	if (!client_learn(s, greet_known))
		return;
	s->busy = false;
	limit_connect(s, welcome);
}

static void
greet(struct session *s, const char *name)
{
	set_name(s, name);
	log_info("connect from %s", s->peer);
	greet_known(s);
	if (!s->busy)
		session_go_on(s);
}

void
greet_again(struct session *s)
{
	free((char *)(uintptr_t)s->peer);
	s->peer = mem_printf("%s[%s]", s->client_name, s->client_address);
	s->is_refused = false;
	if (!client_learn(s, greet_again))
		return;
	checks_run(s, config.smtpd_delay_reject ? 0 : 1 << STAGE_CLIENT,
	    say_banner);
}

void
greet_alone(struct session *s)
{
	set_name(s, "localhost");
	say_banner(s, VERDICT_PERMIT);
}

/* A name that does not lead back to the address could be anybody's. */
static void
on_addresses(const struct resolve_answer *answer, void *argument)
{
	struct session *s = argument;
	const char *name = s->reverse_name;

	s->lookup = NULL;
	s->name_is_uncertain = answer->result == RESOLVE_TEMPORARY;
	for (size_t i = 0; i < answer->count; i++)
		if (resolve_same_host(&answer->addresses[i].any,
		    &s->address.any)) {
			greet(s, name);
			return;
		}
	log_warning("hostname %s does not resolve to address %s%s%s", name,
	    s->client_address, answer->count > 0 ? "" : ": ",
	    answer->count > 0 ? "" : resolve_reason(answer->result));
	greet(s, "unknown");
}

static void
on_name(const struct resolve_answer *answer, void *argument)
{
	struct session *s = argument;

	s->lookup = NULL;
	if (answer->result != RESOLVE_FOUND ||
	    !hostname_is_valid(answer->name, strlen(answer->name))) {
		s->name_is_uncertain = s->reverse_is_uncertain =
		    answer->result == RESOLVE_TEMPORARY;
		greet(s, "unknown");
		return;
	}
	s->reverse_name = mem_strdup(answer->name);
	s->lookup = resolve_addresses(smtpd_resolver, s->reverse_name,
	    (s->address.any.sa_family == AF_INET ? RESOLVE_V4 : RESOLVE_V6) |
	    RESOLVE_HOSTS, on_addresses, s);
}

/* He was refused: his name does not matter, only whether he comes to RCPT. */
static void
greet_refused(struct session *s)
{
	set_name(s, "unknown");
	s->busy = false;
	/* Who did not wait for the greeting does not get the rest of it, as in postscreen. */
	if (!screen_withholds_greeting(s))
		session_say(s, "220 %s", config.smtpd_banner);
	session_go_on(s);
}

void
greet_client(struct session *s)
{
	if (s->said_name != NULL) {
		s->reverse_name = mem_strdup(s->said_name);
		greet(s, s->said_name);
	} else if (screen_has_refused(s))
		greet_refused(s);
	else if (!config.smtpd_peername_lookup ||
	    s->address.any.sa_family == AF_UNSPEC)
		greet(s, "unknown");
	else
		s->lookup = resolve_name(smtpd_resolver, &s->address.any,
		    RESOLVE_HOSTS, on_name, s);
}

/* HELO and EHLO. */

/* What has a meaning in headers and log lines: a name has none of it. */
static void
neuter(char *name)
{
	for (; *name != '\0'; name++)
		if (strchr(" <>()\\\";@", *name) != NULL)
			*name = '?';
}

/* The name counts only once it was accepted. */
static void
forget_name(struct session *s)
{
	free(s->helo_name);
	s->helo_name = NULL;
	session_enter(s, CONNECTED, "refused");
}

static bool
take_name(struct session *s, const struct smtp_command *command)
{
	if (command->argument_length == 0) {
		session_reply(s, "501 Syntax: %s hostname", s->where);
		return false;
	}
	transaction_end(s);
	free(s->helo_name);
	s->helo_name = text_printable(mem_strndup(command->argument,
	    command->argument_length < 512 ? command->argument_length : 512));
	neuter(s->helo_name);
	session_enter(s, GREETED, s->where);
	return true;
}

static void
answer_helo(struct session *s, enum verdict verdict)
{
	if (verdict != VERDICT_PERMIT) {
		forget_name(s);
		return;
	}
	s->esmtp = false;
	session_reply(s, "250 %s", config.myhostname);
}

void
greet_helo(struct session *s, const struct smtp_command *command)
{
	if (take_name(s, command))
		checks_run(s, config.smtpd_delay_reject ? 0 : 1 << STAGE_HELO,
		    answer_helo);
}

/* What we honour, in Postfix's order. A row: the keyword, whether it is offered, and what stands behind it. */
static bool
offers_pipelining(const struct session *s)
{
	return !screen_hides_pipelining(s);
}

static bool
offers_vrfy(const struct session *s)
{
	return !(s->screening != NULL ?
	    config.postscreen_disable_vrfy_command :
	    config.disable_vrfy_command);
}

static bool
offers_etrn(const struct session *s)
{
	return !smtpd_is_alone;
}

static bool
offers_xclient(const struct session *s)
{
	return s->may_xclient && !s->was_xclient;
}

static bool
offers_xforward(const struct session *s)
{
	return s->may_xforward;
}

static bool
offers_xverp(const struct session *s)
{
	return s->may_xverp;
}

static bool
offers_smtputf8(const struct session *s)
{
	return config.smtputf8_enable;
}

static const struct {
	const char	*keyword;
	bool		(*offered)(const struct session *);	/* NULL: always */
	const char	*words;
} extensions[] = {
	{ "PIPELINING", offers_pipelining, NULL },
	{ "SIZE", NULL, NULL },
	{ "VRFY", offers_vrfy, NULL },
	{ "ETRN", offers_etrn, NULL },
	{ "XVERP", offers_xverp, NULL },
	{ "XCLIENT", offers_xclient,
	    "NAME ADDR PROTO HELO REVERSE_NAME PORT DESTADDR DESTPORT" },
	{ "XFORWARD", offers_xforward,
	    "NAME ADDR PROTO HELO SOURCE PORT IDENT" },
	{ "ENHANCEDSTATUSCODES", NULL, NULL },
	{ "8BITMIME", NULL, NULL },
	{ "DSN", NULL, NULL },
	{ "SMTPUTF8", offers_smtputf8, NULL },
	{ "CHUNKING", NULL, NULL },
};

static void
offer_extensions(struct session *s)
{
	const char *discarded;
	struct text reply = TEXT_EMPTY;

	if (!reword_discarded_keywords(s, offer_extensions, &discarded))
		return;
	s->esmtp = true;
	text_printf(&reply, "250 %s", config.myhostname);
	for (size_t i = 0; i < COUNT_OF(extensions); i++) {
		const char *keyword = extensions[i].keyword;

		if ((extensions[i].offered != NULL &&
		    !extensions[i].offered(s)) ||
		    (*discarded != '\0' && list_has_word(discarded, keyword)))
			continue;
		text_putc(&reply, '\n');
		text_puts(&reply, keyword);
		if (extensions[i].words != NULL) {
			text_putc(&reply, ' ');
			text_puts(&reply, extensions[i].words);
		}
		if (strcmp(keyword, "SIZE") == 0 &&
		    config.message_size_limit > 0)
			text_printf(&reply, " %lld",
			    (long long)config.message_size_limit);
	}
	session_reply(s, "%s", text_string(&reply));
	text_clear(&reply);
}

static void
answer_ehlo(struct session *s, enum verdict verdict)
{
	if (verdict == VERDICT_PERMIT)
		offer_extensions(s);
	else
		forget_name(s);
}

void
greet_ehlo(struct session *s, const struct smtp_command *command)
{
	if (take_name(s, command))
		checks_run(s, config.smtpd_delay_reject ? 0 : 1 << STAGE_HELO,
		    answer_ehlo);
}
