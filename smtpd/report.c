/* Log lines, in the forms that pflogsumm, fail2ban and people read. */


#include "smtpd/dialogue.h"

#include <stdio.h>
#include <string.h>

#include "smtpd/checks.h"
#include "smtpd/screening.h"
#include "smtpd/transaction.h"

static void
append_address(struct text *line, const char *name, const char *address)
{
	text_putc(line, ' ');
	text_puts(line, name);
	text_puts(line, "=<");
	address_quote(line, address);
	text_putc(line, '>');
}

/* Who speaks to whom, behind what happened; then the line is logged. */
static void
log_with_parties(struct session *s, struct text *line)
{
	if (s->transaction != NULL)
		append_address(line, "from", session_sender(s));
	if (session_recipient(s)[0] != '\0')
		append_address(line, "to", session_recipient(s));
	text_puts(line, s->esmtp ? " proto=ESMTP" : " proto=SMTP");
	if (s->helo_name != NULL) {
		text_puts(line, " helo=<");
		text_puts(line, s->helo_name);
		text_putc(line, '>');
	}
	log_info("%s", text_string(line));
	text_clear(line);
}

void
report_action(struct session *s, const char *action, const char *text)
{
	struct text line = TEXT_EMPTY;

	text_printf(&line, "NOQUEUE: %s: %s from %s: ", action, s->where,
	    s->peer);

	size_t said = line.length;

	text_printf(&line, "%s;", text);
	if (strncmp(action, "reject", 6) == 0)
		reply_soften(line.bytes + said);
	log_with_parties(s, &line);
}

void
report_proxy(struct session *s, bool is_accepted, const char *text)
{
	struct text line = TEXT_EMPTY;

	text_printf(&line, "proxy-%s: %s: %s;", is_accepted ? "accept" :
	    "reject", s->where, text);
	log_with_parties(s, &line);
}

static void
append_count(struct text *line, const char *name, unsigned ok, unsigned total)
{
	text_putc(line, ' ');
	text_puts(line, name);
	text_putc(line, '=');
	text_put_number(line, ok);
	if (ok != total || total == 0) {
		text_putc(line, '/');
		text_put_number(line, total);
	}
}

void
report_disconnect(struct session *s)
{
	struct text line = TEXT_EMPTY;
	unsigned ok = 0, total = 0;

	if (screen_tells_end(s))
		return;
	for (enum verb verb = 0; verb < VERB_COUNT; verb++) {
		if (s->counts[verb].total == 0)
			continue;
		append_count(&line, verb_name(verb), s->counts[verb].ok,
		    s->counts[verb].total);
		ok += s->counts[verb].ok;
		total += s->counts[verb].total;
	}
	append_count(&line, "commands", ok, total);
	log_info("disconnect from %s%s", s->peer, text_string(&line));
	text_clear(&line);
}

void
report_lost(struct session *s, const char *what)
{
	/* Many a client hangs up behind its last message. */
	bool is_usual = strcmp(s->where, "END-OF-MESSAGE") == 0 &&
	    strcmp(what, "lost connection") == 0;

	s->aborted = what;
	if (screen_tells_lost(s, what))
		return;
	if (s->state == IN_DATA || s->state == IN_CHUNK)
		log_info("%s after %s (%lld bytes) from %s", what, s->where,
		    (long long)s->transaction->wire_bytes, s->peer);
	else if (!is_usual)
		log_info("%s after %s from %s", what, s->where, s->peer);
}
