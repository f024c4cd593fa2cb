/* What a client sent: bytes to commands and content. */


#include "smtpd/session.h"

#include <string.h>

#include "config/config.h"
#include "smtpd/client.h"
#include "smtpd/dialogue.h"
#include "smtpd/screening.h"
#include "smtpd/transaction.h"

/* Replies that may wait to be sent before no more commands are read. */
#define OUTPUT_MAX	16384

static void
extend_deadline(struct session *s, size_t bytes)
{
	int64_t most = clock_ms() + config.smtpd_timeout * 1000LL;

	s->deadline_ms += (int64_t)bytes * 1000 / config.smtpd_min_data_rate;
	if (s->deadline_ms > most)
		s->deadline_ms = most;
}

static bool
may_read(const struct session *s)
{
	return !s->busy && !s->pausing && !s->ending && !s->is_screening &&
	    s->errors < config.smtpd_hard_error_limit &&
	    s->output.length < OUTPUT_MAX;
}

/* A line is longer than any command may be: say so once, read past it. */
static void
skip_line(struct session *s)
{
	if (s->skipping || screen_long_line(s))
		return;
	s->skipping = true;
	s->verb = UNKNOWN;
	s->where = "UNKNOWN";
	s->counts[UNKNOWN].total++;
	session_reply(s, "500 5.5.2 Error: line too long");
}

/* smtpd_forbid_bare_newline = reject: true if the session ends for it. */
static bool
refuse_bare_newline(struct session *s, const char *line, size_t length)
{
	if (length > 0 && line[length - 1] == '\r')
		return false;
	if (!s->refuses_bare_newline) {
		client_note_bare_newline(s);
		return false;
	}
	session_reply(s, "%d 5.5.2 %s Error: bare <LF> received",
	    config.smtpd_forbid_bare_newline_reject_code, config.myhostname);
	log_info("disconnect: bare <LF> received after %s from %s", s->where,
	    s->peer);
	session_finish(s);
	return true;
}

/* A line of input, if it is whole. Gives the bytes used. */
static size_t
take_line(struct session *s, const char *bytes, size_t length)
{
	const char *lf = memchr(bytes, '\n', length);

	if (lf == NULL) {
		if (length <= SMTP_COMMAND_MAX)
			return 0;
		skip_line(s);
		return length;
	}

	size_t line = lf - bytes, used = line + 1;

	s->deadline_ms = 0;
	if (s->skipping) {
		s->skipping = false;
		return used;
	}
	if (line > SMTP_COMMAND_MAX) {
		skip_line(s);
		s->skipping = false;
		return used;
	}
	if (screen_bare_newline(s, bytes, line) ||
	    refuse_bare_newline(s, bytes, line))
		return used;
	if (line > 0 && bytes[line - 1] == '\r')
		line--;

	const char *other;

	if (!reword_command(s, bytes, line, &other))
		return 0;
	session_trace(s, '<', bytes, line);
	trouble_heard(s, bytes, line);
	if (s->ending)
		return used;
	return command_run(s, other != NULL ? other : bytes,
	    other != NULL ? strlen(other) : line, bytes + used,
	    length - used) ? used : 0;
}

/* A chunk that was refused is read past, octet by octet as it was announced. */
static size_t
skip_octets(struct session *s, size_t length)
{
	size_t used = s->octets_to_skip < (int64_t)length ?
	    (size_t)s->octets_to_skip : length;

	s->octets_to_skip -= used;
	extend_deadline(s, used);
	return used;
}

static size_t
take_content(struct session *s, const char *bytes, size_t length)
{
	size_t used = content_read(s, bytes, length);

	if (s->state == IN_DATA || s->state == IN_CHUNK)
		extend_deadline(s, used);
	else
		s->deadline_ms = 0;
	return used;
}

static size_t
take_input(struct session *s, const char *bytes, size_t length)
{
	size_t at = 0;

	while (at < length && may_read(s)) {
		size_t used;

		if (s->octets_to_skip > 0)
			used = skip_octets(s, length - at);
		else if (s->awaits_proxy) {
			used = address_take_header(s, bytes + at, length - at);
			if (used == 0)
				break;
		} else if (s->state == IN_DATA || s->state == IN_CHUNK)
			used = take_content(s, bytes + at, length - at);
		else if ((used = take_line(s, bytes + at, length - at)) == 0)
			break;
		at += used;
	}
	return at;
}

bool
session_feed(struct session *s, const char *bytes, size_t length)
{
	size_t used;

	if (s->input.length == 0) {
		used = take_input(s, bytes, length);
		text_append(&s->input, bytes + used, length - used);
	} else {
		text_append(&s->input, bytes, length);
		used = take_input(s, s->input.bytes, s->input.length);
		text_drop(&s->input, used);
	}
	if (s->input.length == 0)
		text_clear(&s->input);
	return used > 0;
}
