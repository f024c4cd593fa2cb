/*
 * dialogue - what is said at each stage, and what the replies mean
 *
 * RFC 5321; RFC 2920 (PIPELINING: one group from MAIL to DATA), RFC 1870
 * (SIZE), RFC 6152 (8BITMIME), RFC 3461 (DSN), RFC 6531 (SMTPUTF8).
 */

#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "config/config.h"
#include "smtp/command.h"

/* Nothing is sent: all that is asked is whether the recipients are good. */
static bool
only_asks(const struct session *session)
{
	return session->job->request->envelope->flags & ENVELOPE_VERIFY;
}

static bool
more_to_send(const struct job *job, size_t *place)
{
	size_t count = job->request->envelope->recipient_count;

	while (*place < count && job->marks[*place] != MARK_WAITING)
		++*place;
	return *place < count;
}

/* The transaction is over, well or not: the connection is free for another. */
static bool
transaction_over(struct session *session)
{
	text_clear(&session->shaped);
	struct job *job = session->job;

	session->job = NULL;
	job->session = NULL;
	smtp_reply_reset(&session->reply);
	if (destination_wants(job->destination, session))
		destination_keep(job->destination, session);
	else
		session_quit(session);
	job_go_on(job);
	return false;
}

/* He does not want to talk: say goodbye and try elsewhere. */
static bool
refused(struct session *session)
{
	struct job *job = session->job;

	outcome_rest(job, false);
	session->closing = true;
	job->session = NULL;
	session_quit(session);
	job_go_on(job);
	return false;
}

static bool
header_has_utf8(const struct job *job)
{
	const char *end = memmem(job->content, job->content_length, "\n\n", 2);

	return !text_is_ascii(job->content, end == NULL ?
	    job->content_length : (size_t)(end - job->content));
}

/* Has an address, or the header of a message that came so, what only SMTPUTF8 may carry? */
static bool
needs_utf8(const struct job *job)
{
	const struct envelope *envelope = job->request->envelope;
	bool needs = !text_is_ascii(job->sender, strlen(job->sender)) ||
	    ((envelope->flags & ENVELOPE_SMTPUTF8) && header_has_utf8(job));

	for (size_t i = 0; i < envelope->recipient_count && !needs; i++)
		needs = job->marks[i] != MARK_DONE &&
		    !text_is_ascii(generic_recipient(job, i),
		    strlen(generic_recipient(job, i)));
	return needs;
}

/* Can he take the message at all? If not, job->why is set. */
static bool
is_fit(struct session *session)
{
	struct job *job = session->job;

	if (config.smtputf8_enable && needs_utf8(job) && !(session->offers & OFFERS_SMTPUTF8))
		failure_set(&job->why, "5.6.7", "SMTPUTF8 is required, but was "
		    "not offered by host %s", session->peer);
	else if (session->size_limit > 0 &&
	    job->wire_size > session->size_limit)
		failure_set(&job->why, "5.3.4", "message size %lld exceeds "
		    "size limit %lld of server %s", (long long)job->wire_size,
		    (long long)session->size_limit, session->peer);
	else if (!shape_content(session))
		failure_set(&job->why, "4.3.0", "smtp header checks lookup "
		    "error");
	else
		return true;
	return false;
}

static void
say_mail(struct session *session)
{
	static const char *const returns[] = { "", " RET=FULL", " RET=HDRS" };
	const struct envelope *envelope = session->job->request->envelope;
	struct text *out = &session->out;

	text_puts(out, "MAIL FROM:<");
	address_quote(out, session->job->sender);
	text_putc(out, '>');
	if (session->offers & OFFERS_SIZE)
		text_printf(out, " SIZE=%lld",
		    (long long)session->job->wire_size);
	if ((session->offers & OFFERS_8BITMIME) &&
	    (envelope->flags & ENVELOPE_8BIT))
		text_puts(out, " BODY=8BITMIME");
	if ((session->offers & OFFERS_DSN) && envelope->dsn_ret >= 0 &&
	    envelope->dsn_ret < (int64_t)COUNT_OF(returns))
		text_puts(out, returns[envelope->dsn_ret]);
	if ((session->offers & OFFERS_DSN) && *envelope->dsn_envid != '\0') {
		text_puts(out, " ENVID=");
		smtp_xtext_encode(out, envelope->dsn_envid);
	}
	if ((session->offers & OFFERS_SMTPUTF8) &&
	    ((envelope->flags & ENVELOPE_SMTPUTF8) || needs_utf8(session->job)))
		text_puts(out, " SMTPUTF8");
	text_puts(out, "\r\n");
}

/* ORCPT is told to whoever understands it, the address as it was first written if nobody gave one. */
static void
say_orcpt(struct text *out, const struct recipient *recipient)
{
	const char *orcpt = recipient->dsn_orcpt;
	struct text first = TEXT_EMPTY;

	if (strchr(orcpt, ';') == NULL) {
		const char *address = *recipient->original != '\0' ?
		    recipient->original : recipient->address;

		text_puts(&first, text_is_ascii(address, strlen(address)) ?
		    "rfc822;" : "utf-8;");
		address_quote(&first, address);
		orcpt = text_string(&first);
	}
	smtp_put_orcpt(out, orcpt);
	text_clear(&first);
}

static void
say_rcpt(struct session *session, size_t place)
{
	const struct recipient *recipient =
	    &session->job->request->envelope->recipients[place];
	struct text *out = &session->out;

	text_puts(out, "RCPT TO:<");
	address_quote(out, generic_recipient(session->job, place));
	text_putc(out, '>');
	if (session->offers & OFFERS_DSN) {
		say_orcpt(out, recipient);
		smtp_put_notify(out, (unsigned)recipient->dsn_notify);
	}
	text_puts(out, "\r\n");
}

/*
 * From XFORWARD or MAIL to DATA, or to the last RCPT if that is all: in one
 * group if he can, else the first command of it.
 */
static void
say_group(struct session *session)
{
	bool forwards = xforward_say_next(session);

	if (!(session->offers & OFFERS_PIPELINING)) {
		if (!forwards)
			say_mail(session);
		return;
	}
	while (xforward_say_next(session))
		continue;
	say_mail(session);
	for (size_t i = 0; more_to_send(session->job, &i); i++)
		say_rcpt(session, i);
	if (!only_asks(session))
		session_say(session, "DATA");
}

/* Without PIPELINING each command waits for its turn. */
static void
say_next(struct session *session)
{
	if (session->offers & OFFERS_PIPELINING)
		return;
	if (session->stage == STAGE_MAIL)
		say_mail(session);
	else if (session->stage == STAGE_RCPT)
		say_rcpt(session, session->next_rcpt);
	else if (session->stage == STAGE_DATA)
		session_say(session, "DATA");
	session_flush(session);
}

/* The first reply that is awaited of what say_group() said. */
static void
enter_group(struct session *session)
{
	session_enter(session, session->xforward_awaited > 0 ? STAGE_XFORWARD :
	    STAGE_MAIL);
}

bool
dialogue_begin(struct session *session)
{
	bool again = session->uses++ > 0;

	if (!is_fit(session)) {
		outcome_rest(session->job, false);
		return transaction_over(session);
	}
	session->job->request->conn_use = session->uses;
	session->next_rcpt = session->accepted = session->skip = 0;
	xforward_begin(session);
	if (again) {
		session_enter(session, STAGE_RSET);
		session_say(session, "RSET");
		if (session->offers & OFFERS_PIPELINING)
			say_group(session);
	} else {
		say_group(session);
		enter_group(session);
	}
	session_flush(session);
	return true;
}

/* Greeted, and the features are known. */
static bool
ready(struct session *session)
{
	session->job->sessions++;
	session->job->request->connected_us = clock_wall_us();
	return dialogue_begin(session);
}

/* The first word behind the code: the host's name for itself. */
static bool
is_my_name(const struct smtp_reply *reply)
{
	const char *word = text_string(&reply->text);
	size_t length;

	if (strlen(word) < 4)
		return false;
	word += 4;
	length = strcspn(word, " \n");
	return length == strlen(config.myhostname) &&
	    strncasecmp(word, config.myhostname, length) == 0;
}

static bool
on_greeting(struct session *session)
{
	struct smtp_reply *reply = &session->reply;
	const char *text = text_string(&reply->text);

	if (reply->code / 100 != 2) {
		outcome_said(session->job);
		if (config.smtp_skip_5xx_greeting)
			session->job->why.dsn[0] = '4';
		return refused(session);
	}
	if (session->expects_loop && is_my_name(reply))
		log_warning("host %s greeted me with my own hostname %s",
		    session->relay, config.myhostname);
	if (!config.smtp_never_send_ehlo && (config.smtp_always_send_ehlo ||
	    strcasestr(text, "ESMTP") != NULL)) {
		session_enter(session, STAGE_EHLO);
		session_say(session, "EHLO %s", config.smtp_helo_name);
	} else {
		session_enter(session, STAGE_HELO);
		session_say(session, "HELO %s", config.smtp_helo_name);
	}
	session_flush(session);
	return true;
}

/* It answers to our own name: the mail would come back for ever. */
static bool
loops_back(struct session *session)
{
	if (!session->expects_loop || !is_my_name(&session->reply))
		return false;
	log_warning("host %s replied to HELO/EHLO with my own hostname %s",
	    session->relay, config.myhostname);
	if (!session->is_best)
		return false;
	failure_set(&session->job->why, "5.4.6",
	    "mail for %s loops back to myself", session->job->request->nexthop);
	return true;
}

static bool
on_ehlo(struct session *session)
{
	if (session->reply.code == 421) {
		outcome_said(session->job);
		return refused(session);
	}
	if (session->reply.code / 100 != 2) {
		session_enter(session, STAGE_HELO);
		session_say(session, "HELO %s", config.smtp_helo_name);
		session_flush(session);
		return true;
	}
	offers_note(session);
	return loops_back(session) ? refused(session) : ready(session);
}

static bool
on_helo(struct session *session)
{
	if (session->reply.code / 100 != 2) {
		outcome_said(session->job);
		return refused(session);
	}
	offers_forget(session);
	return loops_back(session) ? refused(session) : ready(session);
}

/* The old connection lives, or not. */
static bool
on_rset(struct session *session)
{
	struct job *job = session->job;

	if (session->reply.code / 100 != 2) {
		session_end(&session);
		job_go_on(job);
		return false;
	}
	if (!(session->offers & OFFERS_PIPELINING)) {
		say_group(session);
		session_flush(session);
	}
	enter_group(session);
	return true;
}

/* It is for his log: that he does not take it changes nothing. */
static bool
on_xforward(struct session *session)
{
	if (session->reply.code / 100 != 2) {
		char *text = text_printable(mem_strdup(
		    text_string(&session->reply.text)));

		log_warning("host %s said: %s (in reply to XFORWARD)",
		    session->peer, text);
		free(text);
	}
	session->xforward_awaited--;
	if (!(session->offers & OFFERS_PIPELINING) &&
	    xforward_say_next(session))
		session_flush(session);
	if (session->xforward_awaited == 0) {
		session_enter(session, STAGE_MAIL);
		say_next(session);
	} else
		session_enter(session, STAGE_XFORWARD);
	return true;
}

/* Recipients that were asked and not answered. */
static size_t
awaited(const struct session *session)
{
	size_t count = 0;

	for (size_t i = session->next_rcpt; more_to_send(session->job, &i); i++)
		count++;
	return count;
}

static bool
on_mail(struct session *session)
{
	struct job *job = session->job;

	if (session->reply.code / 100 == 2) {
		more_to_send(job, &session->next_rcpt);
		session_enter(session, STAGE_RCPT);
		say_next(session);
		return true;
	}

	size_t skip = awaited(session);

	outcome_said(job);
	outcome_rest(job, false);
	if (!(session->offers & OFFERS_PIPELINING))
		return transaction_over(session);
	/* He answers the rest of the group all the same; its last is DATA, or without that a RCPT. */
	session->skip = only_asks(session) ? skip - 1 : skip;
	session_enter(session, STAGE_DATA);
	return true;
}

static bool
on_rcpt(struct session *session)
{
	struct job *job = session->job;

	if (session->reply.code / 100 == 2 && only_asks(session)) {
		outcome_deliverable(job, session->next_rcpt);
	} else if (session->reply.code / 100 == 2) {
		job->marks[session->next_rcpt] = MARK_ACCEPTED;
		session->accepted++;
	} else {
		outcome_refused(job, session->next_rcpt);
	}
	session->next_rcpt++;
	if (more_to_send(job, &session->next_rcpt)) {
		session_enter(session, STAGE_RCPT);
	} else if (only_asks(session) || (session->accepted == 0 &&
	    !(session->offers & OFFERS_PIPELINING))) {
		return transaction_over(session);
	} else {
		session_enter(session, STAGE_DATA);
	}
	say_next(session);
	return true;
}

static bool
on_data(struct session *session)
{
	const struct job *job = session->job;

	if (session->reply.code / 100 != 3) {
		if (session->accepted > 0) {
			outcome_said(session->job);
			outcome_rest(session->job, false);
		}
		return transaction_over(session);
	}
	if (session->accepted == 0) {
		/* Nobody to send it to, but he is waiting for it. */
		session_enter(session, STAGE_DOT);
		session_say(session, ".");
		session_flush(session);
		return true;
	}
	event_del(&session->readable);	/* unless he stops us, he has nothing to say */
	if (session->is_shaped)
		content_start(&session->content,
		    text_string(&session->shaped), session->shaped.length);
	else
		content_start(&session->content, job->content,
		    job->content_length);
	session_enter(session, STAGE_BODY);
	smtp_reply_reset(&session->reply);
	session_flush(session);
	return true;
}

/* He cut the message short and said why; the dot was never sent. */
static bool
on_body(struct session *session)
{
	if (session->reply.code < 400) {
		session_broken(session, "4.4.2",
		    "lost connection with %s while %s");
		return false;
	}
	outcome_said(session->job);
	outcome_rest(session->job, false);
	return transaction_over(session);
}

static bool
on_dot(struct session *session)
{
	if (session->accepted == 0)
		return transaction_over(session);
	if (session->reply.code / 100 == 2) {
		outcome_sent(session->job);
	} else {
		outcome_said(session->job);
		outcome_rest(session->job, false);
	}
	return transaction_over(session);
}

static bool
on_quit(struct session *session)
{
	session_end(&session);
	return false;
}

const struct stage_fact stage_facts[] = {
	[STAGE_CONNECT] = { "connect", "connecting", NULL,
	    &config.smtp_connect_timeout, NULL },
	[STAGE_GREETING] = { "greeting", "receiving the initial server greeting",
	    NULL, &config.smtp_helo_timeout, on_greeting },
	[STAGE_EHLO] = { "EHLO", "performing the EHLO handshake", NULL,
	    &config.smtp_helo_timeout, on_ehlo },
	[STAGE_HELO] = { "HELO", "performing the HELO handshake", NULL,
	    &config.smtp_helo_timeout, on_helo },
	[STAGE_RSET] = { "RSET", "sending RSET", NULL,
	    &config.smtp_rset_timeout, on_rset },
	[STAGE_XFORWARD] = { "XFORWARD", "sending XFORWARD", NULL,
	    &config.smtp_xforward_timeout, on_xforward },
	[STAGE_MAIL] = { "MAIL", "sending MAIL FROM", "MAIL FROM command",
	    &config.smtp_mail_timeout, on_mail },
	[STAGE_RCPT] = { "RCPT", "sending RCPT TO", "RCPT TO command",
	    &config.smtp_rcpt_timeout, on_rcpt },
	[STAGE_DATA] = { "DATA", "sending DATA command", "DATA command",
	    &config.smtp_data_init_timeout, on_data },
	[STAGE_BODY] = { "body", "sending message body", "end of DATA command",
	    &config.smtp_data_xfer_timeout, on_body },
	[STAGE_DOT] = { "dot",
	    "sending end of data -- message may be sent more than once",
	    "end of DATA command", &config.smtp_data_done_timeout, on_dot },
	[STAGE_IDLE] = { "idle", "idle", NULL,
	    &config.smtp_connection_cache_time_limit, NULL },
	[STAGE_QUIT] = { "QUIT", "sending QUIT", NULL,
	    &config.smtp_quit_timeout, on_quit },
};
