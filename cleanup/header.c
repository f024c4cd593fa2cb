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

/* Fields that hold addresses to be completed. */
static const char *const address_fields[] = {
	"From", "Sender", "Reply-To", "To", "Cc",
	"Resent-From", "Resent-Sender", "Resent-Reply-To", "Resent-To",
	"Resent-Cc",
	"Errors-To", "Return-Receipt-To", "Disposition-Notification-To",
};

struct seen {
	bool	message_id, date, from, to_or_cc;
	int	received;
};

static bool
has_addresses(const struct header_field *field)
{
	for (size_t i = 0; i < COUNT_OF(address_fields); i++) {
		if (header_is(field, address_fields[i]))
			return true;
	}
	return false;
}

/* Is it one of message_drop_headers? */
static bool
is_dropped(const struct header_field *field)
{
	static char **names;
	static size_t count;

	if (names == NULL) {
		char *cursor = mem_strdup(config.message_drop_headers), *word;

		names = mem_zalloc(strlen(cursor) + 1, sizeof(*names));
		while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL)
			names[count++] = word;
	}
	for (size_t i = 0; i < count; i++) {
		if (header_is(field, names[i]))
			return true;
	}
	return false;
}

/* With what short addresses are completed: as our own, as a stranger's; NULL: not at all. */
static const char *
rewrite_context(const struct submission *submission)
{
	if (submission->envelope->flags & ENVELOPE_LOCAL_ORIGIN)
		return "local";
	return *config.remote_header_rewrite_domain != '\0' ? "remote" : NULL;
}

/* Append the field with each short address completed; nothing else of it changes. */
static void
append_completed(struct submission *submission,
    const struct header_field *field, const char *context)
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
		if (rewrite_internal(context, found.address, &address) == -1) {
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

/* As much of an endless field as header_size_limit allows. */
static void
append_cut(struct text *out, const struct header_field *field)
{
	size_t length = (size_t)config.header_size_limit;

	/* Two line ends would end the header. */
	while (length > 0 && isspace((unsigned char)field->raw[length - 1]))
		length--;
	text_append(out, field->raw, length);
	text_putc(out, '\n');
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
	const char *context = rewrite_context(submission);

	if (header_is(field, "Message-Id")) {
		seen->message_id = true;
		note_message_id(submission, field);
	}
	seen->received += header_is(field, "Received");
	seen->date |= header_is(field, "Date");
	seen->from |= header_is(field, "From");
	seen->to_or_cc |= header_is(field, "To") || header_is(field, "Cc");
	if (is_dropped(field))
		return;
	if (field->raw_length > (size_t)config.header_size_limit)
		append_cut(&submission->header, field);
	else if (context != NULL && has_addresses(field))
		append_completed(submission, field, context);
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
	if (!seen->to_or_cc && *config.undisclosed_recipients_header != '\0')
		text_printf(out, "%s\n", config.undisclosed_recipients_header);
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
	if ((submission->envelope->flags & ENVELOPE_LOCAL_ORIGIN) ||
	    config.always_add_missing_headers)
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
