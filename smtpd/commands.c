/* The verbs: what may come when, and what acts on it. */


#include "smtpd/dialogue.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"
#include "smtpd/client.h"
#include "smtpd/screening.h"
#include "smtpd/smtpd.h"
#include "smtpd/transaction.h"

typedef void action(struct session *, const struct smtp_command *);

static void
reset(struct session *s, const struct smtp_command *command)
{
	if (command->argument_length > 0) {
		session_reply(s, "501 5.5.4 Syntax: RSET");
		return;
	}
	transaction_end(s);
	session_reply(s, "250 2.0.0 Ok");
}

static void
do_nothing(struct session *s, const struct smtp_command *command)
{
	session_reply(s, "250 2.0.0 Ok");
}

static void
quit(struct session *s, const struct smtp_command *command)
{
	session_reply(s, "221 2.0.0 Bye");
	session_finish(s);
}

static void
help(struct session *s, const struct smtp_command *command)
{
	session_reply(s, "214 2.0.0 HELO EHLO MAIL RCPT DATA BDAT RSET NOOP "
	    "VRFY ETRN QUIT; see smtpd(8)");
}

/* Never tells who exists: the answer is the same for all. */
static void
verify(struct session *s, const struct smtp_command *command)
{
	const char *argument = command->argument, *why;
	size_t length = command->argument_length;
	char address[ADDRESS_SIZE];
	ssize_t path = address_path_parse(argument, length, address, &why);
	size_t rest = path == -1 ? 0 : length - (size_t)path;

	if (s->screening != NULL ? config.postscreen_disable_vrfy_command :
	    config.disable_vrfy_command)
		session_reply(s, "502 5.5.1 VRFY command is disabled");
	else if (length == 0)
		session_reply(s, "501 5.5.4 Syntax: VRFY address%s",
		    config.smtputf8_enable ? " [SMTPUTF8]" : "");
	else if (path == -1 || address[0] == '\0' || (rest > 0 && (rest != 9 ||
	    strncasecmp(argument + path, " SMTPUTF8", rest) != 0)))
		transaction_complain(s,
		    "501 5.1.3 Bad recipient address syntax", command);
	else
		session_reply(s, "252 2.0.0 %.*s", (int)path, argument);
}

enum {
	ENDS_GROUP	= 1 << 0,	/* nothing may be pipelined behind it (RFC 2920 section 3.1) */
	JUNK		= 1 << 1,	/* counts against smtpd_junk_command_limit */
};

/* In any state outside `when` the client hears `otherwise`, and nothing changes. */
static const struct {
	const char	*name;
	unsigned	 when;
	action		*act;
	unsigned	 flags;
	const char	*otherwise;
} commands[] = {
	[HELO] = { "HELO", ANY, greet_helo, ENDS_GROUP | JUNK, NULL },
	[EHLO] = { "EHLO", ANY, greet_ehlo, ENDS_GROUP | JUNK, NULL },
	[STARTTLS] = { "STARTTLS", 0, NULL, ENDS_GROUP,
	    "502 5.5.1 Error: command not implemented" },
	[AUTH] = { "AUTH", 0, NULL, ENDS_GROUP,
	    "503 5.5.1 Error: authentication not enabled" },
	[MAIL] = { "MAIL", CONNECTED | GREETED, transaction_mail, 0,
	    "503 5.5.1 Error: nested MAIL command" },
	[RCPT] = { "RCPT", IN_MAIL | IN_RCPT, transaction_rcpt, 0,
	    "503 5.5.1 Error: need MAIL command" },
	[DATA] = { "DATA", IN_MAIL | IN_RCPT, content_data, ENDS_GROUP,
	    "503 5.5.1 Error: need RCPT command" },
	[BDAT] = { "BDAT", ANY, content_bdat, 0, NULL },
	[RSET] = { "RSET", ANY, reset, JUNK, NULL },
	[NOOP] = { "NOOP", ANY, do_nothing, ENDS_GROUP | JUNK, NULL },
	[VRFY] = { "VRFY", ANY, verify, ENDS_GROUP | JUNK, NULL },
	[ETRN] = { "ETRN", CONNECTED | GREETED, etrn, ENDS_GROUP | JUNK,
	    "503 Error: MAIL transaction in progress" },
	[QUIT] = { "QUIT", ANY, quit, 0, NULL },
	[HELP] = { "HELP", ANY, help, ENDS_GROUP | JUNK, NULL },
	[XCLIENT] = { "XCLIENT", ANY, xclient, ENDS_GROUP, NULL },
	[XFORWARD] = { "XFORWARD", ANY, xforward, 0, NULL },
	[UNKNOWN] = { "UNKNOWN", 0, NULL, 0,
	    "500 5.5.2 Error: command not recognized" },
};

const char *
verb_name(enum verb verb)
{
	static const char *const names[VERB_COUNT] = {
		"helo", "ehlo", "xclient", "xforward", "starttls", "auth",
		"mail", "rcpt", "data", "bdat", "rset", "noop", "vrfy",
		"etrn", "quit", "help", "unknown",
	};

	return names[verb];
}

static enum verb
find_verb(const char *name)
{
	for (enum verb verb = 0; verb < UNKNOWN; verb++)
		if (strcmp(commands[verb].name, name) == 0)
			return verb;
	return *name != '\0' &&
	    list_has_word(config.smtpd_noop_commands, name) ? NOOP : UNKNOWN;
}

/* "From: x": somebody speaks of mail, but not to us. */
static bool
is_header(const char *line, size_t length)
{
	size_t at = 0;

	while (at < length && line[at] > ' ' && line[at] < 0x7f &&
	    line[at] != ':')
		at++;
	return at > 0 && at < length && line[at] == ':';
}

static void
break_rules(struct session *s, const char *line, size_t length)
{
	char *shown = mem_strndup(line, length < 100 ? length : 100);

	log_warning("non-SMTP command from %s: %s", s->peer,
	    text_printable(shown));
	free(shown);
	session_say(s, "221 2.7.0 Error: I can break rules, too. Goodbye.");
	session_finish(s);
}

/* A client that talks before its turn has guessed our replies: a bot, or an injected command. */
static bool
is_out_of_turn(struct session *s, const char *early, size_t length)
{
	if (length == 0 || smtpd_is_alone || screen_has_refused(s) ||
	    (s->esmtp && !(commands[s->verb].flags & ENDS_GROUP)))
		return false;
	if (!s->pipelined_badly) {
		char *shown = mem_strndup(early, length < 100 ? length : 100);

		log_info("improper command pipelining after %s from %s: %s",
		    s->where, s->peer, text_printable(shown));
		free(shown);
	}
	s->pipelined_badly = true;
	if (!config.smtpd_forbid_unauth_pipelining)
		return false;
	session_reply(s, "554 5.5.0 Error: SMTP protocol synchronization");
	session_finish(s);
	return true;
}

static void
act(struct session *s, const struct smtp_command *command)
{
	unsigned flags = commands[s->verb].flags;

	if ((flags & JUNK) && s->junk++ > config.smtpd_junk_command_limit)
		s->errors++;
	if (s->is_refused && s->verb != QUIT)
		session_reply(s, "503 5.7.0 Error: access denied for %s",
		    s->peer);
	else if (smtpd_is_alone && (s->verb == ETRN || s->verb == XCLIENT ||
	    s->verb == XFORWARD))
		session_reply(s, "%s", commands[STARTTLS].otherwise);
	else if (s->state == BETWEEN_CHUNKS && (s->verb == RCPT ||
	    s->verb == DATA))
		session_reply(s, "503 5.5.1 Error: %s after BDAT",
		    commands[s->verb].name);
	else if (!(commands[s->verb].when & s->state))
		session_reply(s, "%s", commands[s->verb].otherwise);
	else
		commands[s->verb].act(s, command);
}

static bool
forbids(struct session *s, const char *line, size_t length, bool *is_forbidden)
{
	*is_forbidden = is_header(line, length);
	return *is_forbidden || reword_forbids(s, line, length, is_forbidden);
}

bool
command_run(struct session *s, const char *line, size_t length,
    const char *early, size_t early_length)
{
	const struct screen_line screened = { line, length, early,
	    early_length };
	const char *before = s->where;
	struct smtp_command command;
	bool is_empty, is_forbidden = false;

	smtp_command_split(line, length, &command);
	s->verb = find_verb(command.verb);
	s->where = commands[s->verb].name;
	is_empty = length == 0 || (command.verb[0] == '\0' &&
	    command.argument_length == 0);
	if (s->verb == UNKNOWN && !is_empty &&
	    !forbids(s, line, length, &is_forbidden)) {
		s->where = before;
		return false;
	}
	s->counts[s->verb].total += !is_empty;
	if (screen_command(s, before, is_forbidden, &screened))
		return true;
	if (is_empty || memchr(line, '\0', length) != NULL)
		session_reply(s, "500 5.5.2 Error: bad syntax");
	else if (config.smtputf8_enable && !text_is_utf8(line, length))
		session_reply(s, "500 5.5.2 Error: bad UTF-8 syntax");
	else if (is_forbidden)
		break_rules(s, line, length);
	else if (!is_out_of_turn(s, early, early_length))
		act(s, &command);
	return true;
}
