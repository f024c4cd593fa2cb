/* Replies: what is said, counted, shown and kept for the postmaster. */

#include "smtpd/smtpd.h"

#include <stdarg.h>

#include "config/config.h"

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

static void
append_reply(struct session *s, const char *format, va_list arguments)
{
	size_t before = s->output.length;
	struct text reply = TEXT_EMPTY;

	text_vprintf(&reply, format, arguments);
	if (config.soft_bounce && reply.bytes[0] == '5') {
		reply.bytes[0] = '4';
		if (reply.length > 5 && reply.bytes[4] == '5' &&
		    reply.bytes[5] == '.')
			reply.bytes[4] = '4';
	}
	if (reply.bytes[0] == '4' || reply.bytes[0] == '5')
		reword_refusal(s, &reply);
	session_trace(s, '>', reply.bytes, reply.length);
	smtp_reply_write(&s->output, text_string(&reply));
	trouble_said(s, s->output.bytes + before, s->output.length - before);
	text_clear(&reply);
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
	size_t before = s->output.length;
	va_list arguments;

	va_start(arguments, format);
	append_reply(s, format, arguments);
	va_end(arguments);

	char class = s->output.bytes[before];

	if (class == '2')
		s->counts[s->verb].ok++;
	else if (class == '4' || class == '5')
		s->errors++;
	if (s->errors >= config.smtpd_soft_error_limit &&
	    config.smtpd_error_sleep_time > 0)
		s->pausing = true;
}
