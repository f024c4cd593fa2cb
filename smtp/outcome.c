/* outcome - a result for each recipient, in the words that log readers and senders know */

#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"

void
failure_clear(struct failure *failure)
{
	free(failure->text);
	free(failure->diagnostic);
	*failure = (struct failure){ 0 };
}

void
failure_set(struct failure *failure, const char *dsn, const char *format, ...)
{
	struct text text = TEXT_EMPTY;
	va_list arguments;

	va_start(arguments, format);
	text_vprintf(&text, format, arguments);
	va_end(arguments);
	failure_clear(failure);
	strlcpy(failure->dsn, dsn, sizeof(failure->dsn));
	failure->text = text_take(&text);
}

void
failure_copy(struct failure *to, const struct failure *from)
{
	failure_clear(to);
	*to = *from;
	to->text = mem_strdup(from->text);
	if (from->diagnostic != NULL)
		to->diagnostic = mem_strdup(from->diagnostic);
}

/* A reply on one line. */
static char *
one_line(const struct smtp_reply *reply)
{
	char *line = mem_strdup(text_string(&reply->text));

	for (char *c = line; *c != '\0'; c++) {
		if (*c == '\n')
			*c = ' ';
	}
	return line;
}

/* The reply's own status code, or what its first digit says. */
static void
status_of(const struct smtp_reply *reply, char dsn[SMTP_STATUS_SIZE])
{
	if (reply->status[0] != '\0')
		strlcpy(dsn, reply->status, SMTP_STATUS_SIZE);
	else
		strlcpy(dsn, reply->code < 300 ? "2.0.0" :
		    reply->code < 500 ? "4.0.0" : "5.0.0", SMTP_STATUS_SIZE);
}

void
outcome_said(struct job *job)
{
	const struct session *session = job->session;
	const char *in_reply_to = stage_facts[session->stage].in_reply_to;
	char dsn[SMTP_STATUS_SIZE], *line = one_line(&session->reply);

	status_of(&session->reply, dsn);
	if (session->reply.code < 400)	/* out of place: 250 instead of 354 */
		strlcpy(dsn, "4.5.0", sizeof(dsn));
	if (in_reply_to == NULL)
		failure_set(&job->why, dsn, "host %s refused to talk to me: %s",
		    session->peer, line);
	else
		failure_set(&job->why, dsn, "host %s said: %s (in reply to %s)",
		    session->peer, line, in_reply_to);
	job->why.diagnostic = line;
}

/* May another host, or another day, help? */
static bool
is_soft(const struct failure *why)
{
	return why->dsn[0] != '5' || config.soft_bounce;
}

/* Not the message but the host, or the way to it: a greeting or handshake that was refused, no connection, no name. */
static bool
is_of_host(const struct failure *why, const struct session *session, bool heard)
{
	if (why->dsn[0] != '4')
		return false;
	return heard ? stage_facts[session->stage].in_reply_to == NULL :
	    strncmp(why->dsn, "4.4.", 4) == 0;
}

static void
report(struct job *job, size_t place)
{
	const struct session *session = job->session;
	const struct failure *why = &job->why;
	bool heard = session != NULL && why->diagnostic != NULL;

	job->request->unreachable = is_of_host(why, session, heard);
	delivery_report_remote(job->request,
	    &job->request->envelope->recipients[place],
	    why->dsn[0] == '5' ? DELIVERY_BOUNCED : DELIVERY_DEFERRED,
	    why->dsn, session != NULL ? session->relay : "none",
	    heard ? session->host : "", heard ? why->diagnostic : "",
	    why->text);
	job->marks[place] = MARK_DONE;
	job->left--;
}

static void
log_kept(const struct job *job)
{
	log_info("%s: %s", job->request->envelope->queue_id, job->why.text);
}

void
outcome_refused(struct job *job, size_t place)
{
	outcome_said(job);
	/* 552 here means "too many recipients" (RFC 5321 section 4.5.3.1.10). */
	if (job->session->reply.code == 552)
		job->why.dsn[0] = '4';
	if (is_soft(&job->why) && job_has_more(job)) {
		log_kept(job);
		job->marks[place] = MARK_KEPT;
	} else {
		report(job, place);
	}
}

void
outcome_rest(struct job *job, bool final)
{
	bool keep = !final && is_soft(&job->why) && job_has_more(job);
	size_t count = job->request->envelope->recipient_count;

	if (keep)
		log_kept(job);
	for (size_t i = 0; i < count; i++) {
		if (job->marks[i] == MARK_DONE || job->marks[i] == MARK_KEPT)
			continue;
		if (keep)
			job->marks[i] = MARK_KEPT;
		else
			report(job, i);
	}
}

void
outcome_deliverable(struct job *job, size_t place)
{
	const struct session *session = job->session;
	char dsn[SMTP_STATUS_SIZE], *line = one_line(&session->reply);

	status_of(&session->reply, dsn);
	delivery_report_remote(job->request,
	    &job->request->envelope->recipients[place], DELIVERY_SENT, dsn,
	    session->relay, session->host, line, line);
	job->marks[place] = MARK_DONE;
	job->left--;
	free(line);
}

void
outcome_sent(struct job *job)
{
	const struct session *session = job->session;
	const struct envelope *envelope = job->request->envelope;
	char dsn[SMTP_STATUS_SIZE], *line = one_line(&session->reply);

	status_of(&session->reply, dsn);
	/* Who understands DSN was told NOTIFY, and reports in his turn. */
	job->request->action = (session->offers & OFFERS_DSN) ?
	    ACTION_PASSED_ON : ACTION_RELAYED;
	for (size_t i = 0; i < envelope->recipient_count; i++) {
		if (job->marks[i] != MARK_ACCEPTED)
			continue;
		delivery_report_remote(job->request, &envelope->recipients[i],
		    DELIVERY_SENT, dsn, session->relay, session->host, line,
		    line);
		recall_note(job, i, dsn, line);
		job->marks[i] = MARK_DONE;
		job->left--;
	}
	free(line);
}
