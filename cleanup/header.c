/*
 * header - completed, rewritten, and stripped of what must not travel
 *
 * Every message gets a Received field. One from this host also gets the
 * Message-Id, Date and From that it lacks, and its short addresses are
 * completed; mail of others is not touched, so that signatures stay good.
 */

#include "cleanup/cleanup.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "address/address.h"
#include "config/config.h"
#include "message/date.h"
#include "message/header.h"
#include "message/received.h"

/* What a field means to us. */
enum {
	DROP		= 1 << 0,	/* never travels (message_drop_headers) */
	ADDRESSES	= 1 << 1,	/* holds addresses to be completed */
};

static const struct {
	const char	*name;
	int		 meaning;
} fields[] = {
	{ "Bcc",		DROP },
	{ "Content-Length",	DROP },
	{ "Resent-Bcc",		DROP },
	{ "Return-Path",	DROP },
	{ "From",		ADDRESSES },
	{ "Sender",		ADDRESSES },
	{ "Reply-To",		ADDRESSES },
	{ "To",			ADDRESSES },
	{ "Cc",			ADDRESSES },
	{ "Resent-From",	ADDRESSES },
	{ "Resent-Sender",	ADDRESSES },
	{ "Resent-Reply-To",	ADDRESSES },
	{ "Resent-To",		ADDRESSES },
	{ "Resent-Cc",		ADDRESSES },
	{ "Errors-To",		ADDRESSES },
	{ "Return-Receipt-To",	ADDRESSES },
	{ "Disposition-Notification-To", ADDRESSES },
};

struct seen {
	bool	message_id, date, from, resent;
	int	received;
};

static int
meaning_of(const struct header_field *field)
{
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		if (header_is(field, fields[i].name))
			return fields[i].meaning;
	}
	return 0;
}

/* Append the field with each short address completed; nothing else of it changes. */
static void
append_completed(struct submission *submission,
    const struct header_field *field)
{
	struct text *out = &submission->header;
	struct address_list list = { .text = field->value,
	    .length = field->value_length };
	struct address_found found;
	struct text address = TEXT_EMPTY;
	size_t copied = 0;

	text_append(out, field->raw, (size_t)(field->value - field->raw));
	while (address_list_next(&list, &found)) {
		if (found.too_long || *found.address == '\0')
			continue;
		if (rewrite_internal("local", found.address, &address) == -1) {
			submission_refuse(submission, 451, "4.3.0",
			    "Error: address rewriting unavailable");
			break;
		}
		if (strcmp(text_string(&address), found.address) == 0)
			continue;
		text_append(out, field->value + copied, found.start - copied);
		address_quote(out, text_string(&address));
		copied = found.start + found.length;
	}
	text_append(out, field->value + copied, field->value_length - copied);
	text_putc(out, '\n');
	text_clear(&address);
}

static void
note_message_id(struct submission *submission,
    const struct header_field *field)
{
	struct text value = TEXT_EMPTY;

	if (*submission->envelope->message_id != '\0')
		return;
	header_unfold(&value, field);

	const char *copy = pool_strdup(submission->pool,
	    text_trim(value.bytes != NULL ? value.bytes : (char[]){ "" }));

	if (copy != NULL)
		submission->envelope->message_id = copy;
	text_clear(&value);
}

static void
take_field(struct submission *submission, const struct header_field *field,
    struct seen *seen)
{
	int meaning = meaning_of(field);
	bool local = submission->envelope->flags & ENVELOPE_LOCAL_ORIGIN;

	if (header_is(field, "Message-Id")) {
		seen->message_id = true;
		note_message_id(submission, field);
	}
	seen->received += header_is(field, "Received");
	seen->date |= header_is(field, "Date");
	seen->from |= header_is(field, "From");
	if (meaning & DROP)
		return;
	if ((meaning & ADDRESSES) && local)
		append_completed(submission, field);
	else
		text_append(&submission->header, field->raw, field->raw_length);
}

static void
add_missing(struct submission *submission, const struct seen *seen)
{
	struct text *out = &submission->header;
	struct envelope *envelope = submission->envelope;
	time_t seconds = (time_t)(envelope->arrival_us / 1000000);
	char date[MESSAGE_DATE_SIZE], stamp[32];
	struct tm utc;

	message_date(date, seconds);
	if (!seen->message_id) {
		gmtime_r(&seconds, &utc);
		strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &utc);
		envelope->message_id = pool_printf(submission->pool,
		    "<%s.%s@%s>", stamp, submission->id, config.myhostname);
		if (envelope->message_id == NULL)
			envelope->message_id = "";
		text_printf(out, "Message-Id: %s\n", envelope->message_id);
	}
	if (!seen->date)
		text_printf(out, "Date: %s\n", date);
	if (!seen->from) {
		text_puts(out, "From: ");
		if (*envelope->sender == '\0')
			text_puts(out, "MAILER-DAEMON");
		else
			address_quote(out, envelope->sender);
		text_putc(out, '\n');
	}
}

void
begin_header(struct submission *submission)
{
	if (submission->status != 0)
		return;

	const struct envelope *envelope = submission->envelope;
	char origin[64];
	bool by_user = submission->status == 0 &&
	    *envelope->protocol_name == '\0' &&
	    isdigit((unsigned char)*envelope->login_sender);

	if (submission->status != 0)
		return;
	snprintf(origin, sizeof(origin), "from userid %s",
	    envelope->login_sender);
	message_received(&submission->header, envelope, config.myhostname,
	    config.mail_name, by_user ? origin : NULL);
}

void
rewrite_header(struct submission *submission)
{
	struct header_walk walk = { .text = submission->head,
	    .length = submission->head_length };
	struct header_field field;
	struct seen seen = { 0 };
	size_t body;

	if (submission->status != 0)
		return;
	while (header_next(&walk, &field))
		take_field(submission, &field, &seen);
	if (submission->envelope->flags & ENVELOPE_LOCAL_ORIGIN)
		add_missing(submission, &seen);
	if (seen.received >= config.hopcount_limit)
		submission_refuse(submission, 554, "5.4.0",
		    "Error: too many hops");
	/* A header that ends without an empty line gets one, so that its body stays a body. */
	body = walk.position;
	if (body < submission->head_length && submission->head[body] == '\r' &&
	    body + 1 < submission->head_length && submission->head[body + 1] == '\n')
		body += 2;
	else if (body < submission->head_length && submission->head[body] == '\n')
		body++;
	text_putc(&submission->header, '\n');
	submission->body = body;
}
