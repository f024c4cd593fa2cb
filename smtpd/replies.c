/*
 * Replies: what is said, counted, shown and kept for the postmaster.
 *
 * A refusal whose words a table far away must tell first waits in unsaid, and
 * what comes behind it too; the session is busy until all is said.
 */


#include "smtpd/session.h"

#include <stdarg.h>
#include <string.h>

#include "config/config.h"
#include "smtpd/dialogue.h"

/* Room that a reply gets at once. */
#define USUAL_REPLY	256

void
session_trace(const struct session *s, char direction, const char *line,
    size_t length)
{
	int shown = length < 1000 ? (int)length : 1000;

	if (s->is_traced)
		log_info("%c %s: %.*s", direction, s->peer, shown, line);
	else if (log_verbose > 0)
		log_debug("%c %s: %.*s", direction, s->peer, shown, line);
}

static void	say_unsaid(struct session *s);

/* False: its words are not known yet, and it is as it was. */
static bool
say(struct session *s, struct text *reply)
{
	size_t before = s->output.length;
	bool is_refusal = reply->bytes[0] == '4' || reply->bytes[0] == '5';

	if (is_refusal && !reword_refusal(s, reply, say_unsaid))
		return false;
	session_trace(s, '>', reply->bytes, reply->length);
	smtp_reply_write(&s->output, reply->bytes);
	trouble_said(s, s->output.bytes + before, s->output.length - before);
	return true;
}

static void
say_unsaid(struct session *s)
{
	bool is_said = true;

	while (is_said && s->unsaid.length > 0) {
		struct text reply = TEXT_EMPTY;
		size_t length = strlen(s->unsaid.bytes);

		text_append(&reply, s->unsaid.bytes, length);
		is_said = say(s, &reply);
		if (is_said)
			text_drop(&s->unsaid, length + 1);
		text_clear(&reply);
	}
}

void
reply_soften(char *reply)
{
	if (!config.soft_bounce || reply[0] != '5')
		return;
	reply[0] = '4';
	if (strncmp(reply + 3, " 5.", 3) == 0)
		reply[4] = '4';
}

/* Gives the first digit. */
static char
append_reply(struct session *s, const char *format, va_list arguments)
{
	struct text reply = TEXT_EMPTY;
	char class;

	text_reserve(&reply, USUAL_REPLY);
	text_vprintf(&reply, format, arguments);
	reply_soften(reply.bytes);
	class = reply.bytes[0];
	if (s->unsaid.length > 0 || !say(s, &reply)) {
		text_append(&s->unsaid, reply.bytes, reply.length);
		text_putc(&s->unsaid, '\0');
	}
	text_clear(&reply);
	return class;
}

void
session_say(struct session *s, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	append_reply(s, format, arguments);
	va_end(arguments);
}

void
session_reply(struct session *s, const char *format, ...)
{
	va_list arguments;
	char class;

	va_start(arguments, format);
	class = append_reply(s, format, arguments);
	va_end(arguments);
	if (class == '2')
		s->counts[s->verb].ok++;
	else if (class == '4' || class == '5')
		s->errors++;
	if (s->errors >= config.smtpd_soft_error_limit &&
	    config.smtpd_error_sleep_time > 0)
		s->pausing = true;
}
