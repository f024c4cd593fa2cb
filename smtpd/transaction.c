/* MAIL, RCPT and RSET: the envelope grows, or is forgotten. */


#include "smtpd/transaction.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "address/address.h"
#include "config/config.h"
#include "ipc/channel.h"
#include "message/verp.h"
#include "smtpd/check/check.h"
#include "smtpd/client.h"
#include "smtpd/dialogue.h"
#include "smtpd/screening.h"
#include "smtpd/smtpd.h"

/* What one client's envelope may take, and each recipient that the site allows him. */
#define ENVELOPE_LIMIT	(1 << 20)
#define RECIPIENT_LIMIT	1024

static unsigned
honoured(const struct session *s)
{
	return SMTP_HONOUR_SIZE | SMTP_HONOUR_8BITMIME | SMTP_HONOUR_DSN |
	    (config.smtputf8_enable ? SMTP_HONOUR_SMTPUTF8 : 0) |
	    (config.strict_rfc821_envelopes ? SMTP_STRICT_PATH : 0) |
	    (config.strict_smtputf8 ? SMTP_STRICT_UTF8 : 0) |
	    (s->may_xverp ? SMTP_HONOUR_XVERP : 0) |
	    (config.resolve_null_domain ? SMTP_NULL_DOMAIN : 0) |
	    (config.resolve_numeric_domain ? SMTP_NUMERIC_DOMAIN : 0) |
	    (config.allow_min_user ? 0 : SMTP_REFUSE_MINUS);
}

const char *
session_sender(const struct session *s)
{
	return s->transaction == NULL ? "" : s->transaction->envelope->sender;
}

const char *
session_recipient(const struct session *s)
{
	const struct transaction *t = s->transaction;

	if (t == NULL)
		return "";
	if (t->rcpt != NULL)
		return t->rcpt->recipient;
	/* At the message itself he is known if he is the only one. */
	if ((s->verb == DATA || s->verb == BDAT) &&
	    t->envelope->recipient_count == 1)
		return t->envelope->recipients[0].address;
	return "";
}

void
transaction_end(struct session *s)
{
	struct transaction *t = s->transaction;

	if (t == NULL)
		return;
	proxy_filter_cancel(s);
	s->transaction = NULL;
	if (t->again != NULL)
		event_free(t->again);
	if (t->call != 0)
		ipc_client_cancel(smtpd_cleanup, t->call);
	content_end(t);
	told_forget(s);
	xforward_forget(s);
	free(t->rcpt);
	pool_free(&t->pool);
	free(t);
	session_enter(s, s->helo_name != NULL ? GREETED : CONNECTED,
	    "transaction over");
}

static char *
keep(struct transaction *t, const char *string)
{
	return pool_strdup(t->pool, string);
}

void
transaction_complain(struct session *s, const char *complaint,
    const struct smtp_command *command)
{
	if (strncmp(complaint, "501 5.1.", 8) == 0) {
		char *shown = mem_strndup(command->argument,
		    command->argument_length);
		size_t path = s->verb == VRFY ? 0 : strcspn(shown, ":") + 1;

		path += strspn(shown + path, " ");
		log_warning("Illegal address syntax from %s in %s command: %s",
		    s->peer, s->where, text_printable(shown + path));
		free(shown);
	}
	session_reply(s, "%s", complaint);
}

bool
transaction_begin(struct session *s, const struct smtp_mail *mail)
{
	struct transaction *t = mem_zalloc(1, sizeof(*t));

	t->file = -1;
	t->pool = pool_new(ENVELOPE_LIMIT +
	    (size_t)config.smtpd_recipient_limit * RECIPIENT_LIMIT);
	t->envelope = envelope_new(t->pool);
	s->transaction = t;
	if (t->envelope == NULL)
		return false;

	struct envelope *e = t->envelope;

	e->sender = keep(t, mail->sender);
	e->dsn_envid = keep(t, mail->envid);
	if (mail->wants_verp)
		e->verp = keep(t, mail->verp);
	e->dsn_ret = mail->ret == SMTP_RET_UNSAID ? 0 :
	    mail->ret == SMTP_RET_FULL ? DSN_RET_FULL : DSN_RET_HDRS;
	if (mail->body == SMTP_BODY_8BITMIME)
		e->flags |= ENVELOPE_8BIT;
	if (mail->smtputf8)
		e->flags |= ENVELOPE_SMTPUTF8;
	t->said_size = mail->size;
	e->arrival_us = clock_wall_us();
	e->client_name = keep(t, s->client_name);
	e->client_address = keep(t, s->client_address);
	e->client_port = ntohs(s->address.v4.sin_port);
	e->helo_name = keep(t, s->helo_name == NULL ? "" : s->helo_name);
	e->protocol_name = mail->smtputf8 ? "UTF8SMTP" :
	    s->esmtp ? "ESMTP" : "SMTP";
	return e->sender != NULL && e->verp != NULL && e->dsn_envid != NULL &&
	    e->client_name != NULL && e->client_address != NULL &&
	    e->helo_name != NULL;
}

static void
answer_mail(struct session *s, enum verdict verdict)
{
	if (verdict != VERDICT_PERMIT) {
		transaction_end(s);
		return;
	}
	session_enter(s, IN_MAIL, "MAIL");
	session_reply(s, "250 2.1.0 Ok");
}

static void
check_mail(struct session *s, bool is_within)
{
	if (!is_within)
		transaction_end(s);
	else
		checks_run(s, config.smtpd_delay_reject ? 0 :
		    1 << STAGE_SENDER | 1 << STAGE_UNLISTED_SENDER,
		    answer_mail);
}

/* What is wrong with XVERP; NULL: nothing, and its delimiters are set. */
static const char *
complain_of_verp(struct smtp_mail *mail, struct text *reply)
{
	if (!mail->wants_verp)
		return NULL;
	if (mail->sender[0] == '\0')
		return "503 5.5.4 Error: XVERP requires non-null sender";
	if (mail->verp[0] == '\0')
		strlcpy(mail->verp, config.default_verp_delimiters,
		    sizeof(mail->verp));
	if (verp_complaint(mail->verp, config.verp_delimiter_filter) == NULL)
		return NULL;
	text_truncate(reply, 0);
	text_printf(reply, "501 5.5.4 Error: XVERP needs two characters from "
	    "%s", config.verp_delimiter_filter);
	return text_string(reply);
}

void
transaction_mail(struct session *s, const struct smtp_command *command)
{
	static const char too_big[] =
	    "552 5.3.4 Message size exceeds fixed limit";
	struct smtp_mail mail;
	struct text reply = TEXT_EMPTY;
	const char *complaint;

	if ((s->screening != NULL ? config.postscreen_helo_required :
	    config.smtpd_helo_required) && s->helo_name == NULL) {
		session_reply(s, "503 5.5.1 Error: send HELO/EHLO first");
		return;
	}
	complaint = smtp_mail_parse(command->argument,
	    command->argument_length, honoured(s), &mail, &reply);
	if (complaint == NULL)
		complaint = complain_of_verp(&mail, &reply);
	if (complaint != NULL)
		transaction_complain(s, complaint, command);
	else if (!transaction_begin(s, &mail)) {
		transaction_end(s);
		session_reply(s, "451 4.3.0 Error: out of memory");
	} else if (config.message_size_limit > 0 &&
	    mail.size > config.message_size_limit) {
		report_action(s, "reject", too_big);
		session_reply(s, too_big);
		transaction_end(s);
	} else
		limit_message(s, check_mail);
	text_clear(&reply);
}

/* The recipient at hand is welcome. False without memory. */
static bool
add_recipient(struct transaction *t)
{
	const struct smtp_rcpt *rcpt = t->rcpt;
	const char *address = keep(t, rcpt->recipient);
	struct recipient *recipient = address == NULL ? NULL :
	    envelope_add_recipient(t->envelope, address);

	if (recipient == NULL)
		return false;
	recipient->dsn_notify = rcpt->notify;	/* the same bits */
	recipient->dsn_orcpt = keep(t, rcpt->orcpt);
	return recipient->dsn_orcpt != NULL;
}

static void
forget_rcpt(struct transaction *t)
{
	free(t->rcpt);
	t->rcpt = NULL;
}

static void
answer_rcpt(struct session *s, enum verdict verdict)
{
	struct transaction *t = s->transaction;

	if (verdict == VERDICT_PERMIT && !add_recipient(t))
		session_reply(s, "452 4.5.3 Error: too many recipients");
	else if (verdict == VERDICT_PERMIT) {
		session_enter(s, IN_RCPT, "RCPT");
		session_reply(s, "250 2.1.5 Ok");
	}
	forget_rcpt(t);
}

static void
check_rcpt(struct session *s, bool is_within)
{
	if (!is_within)
		forget_rcpt(s->transaction);
	else
		checks_run(s, config.smtpd_delay_reject ? STAGES_AT_RCPT :
		    STAGES_AT_RCPT & ~STAGES_BEFORE_RCPT, answer_rcpt);
}

static void
refuse_overshoot(struct session *s)
{
	static const char reply[] = "452 4.5.3 Error: too many recipients";

	/* Honest list servers only notice after the whole pipelined group. */
	if (s->transaction->overshoot++ < config.smtpd_recipient_overshoot_limit)
		session_say(s, reply);
	else
		session_reply(s, reply);
}

void
transaction_rcpt(struct session *s, const struct smtp_command *command)
{
	struct transaction *t = s->transaction;
	struct text reply = TEXT_EMPTY;

	if (t->envelope->recipient_count >=
	    (size_t)config.smtpd_recipient_limit) {
		refuse_overshoot(s);
		return;
	}
	t->rcpt = mem_alloc(sizeof(*t->rcpt));

	unsigned like_mail = t->envelope->flags & ENVELOPE_SMTPUTF8 ?
	    honoured(s) : honoured(s) & ~SMTP_HONOUR_SMTPUTF8;
	const char *complaint = smtp_rcpt_parse(command->argument,
	    command->argument_length, like_mail, t->rcpt, &reply);

	if (complaint != NULL) {
		transaction_complain(s, complaint, command);
		forget_rcpt(t);
	} else if (screen_refuses(s, t->rcpt->recipient))
		forget_rcpt(t);
	else
		limit_recipient(s, check_rcpt);
	text_clear(&reply);
}
