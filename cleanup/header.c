/*
 * header - completed, rewritten, and stripped of what must not travel
 *
 * Every message gets a Received field. One from this host also gets the
 * Message-Id, Date and From that it lacks (one that is sent again: the
 * Resent- ones), and its addresses are rewritten as in the envelope; mail of others is
 * not touched, so that signatures stay good. What header checks say of a field comes before all that.
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
#include "rewrite/rewrite.h"

/* What every message of ours has: of its own, or under "Resent-". */
struct trace_fields {
	bool	message_id, date, from;
};

struct seen {
	struct trace_fields own, resent;
	bool	is_resent, to_or_cc;
	int	received;
};

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

/* Whose field is rewritten, and how. */
struct rewriting {
	struct submission *submission;
	const char	*context;
	int		 class;
};

static int
rewrite_one(struct text *address, void *argument)
{
	const struct rewriting *rewriting = argument;
	char *before = mem_strdup(text_string(address));
	int result = rewrite_internal(rewriting->context, before, address);

	free(before);
	if (result == 0)
		return canonical_rewrite(rewriting->submission,
		    rewriting->class, address);
	submission_refuse(rewriting->submission, 451, "4.3.0",
	    "Error: address rewriting unavailable");
	return -1;
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
note_field(struct seen *seen, const struct header_field *field)
{
	static const char again[] = "Resent-";
	struct header_field plain = *field;
	struct trace_fields *of = &seen->own;

	if (field->name_length > strlen(again) &&
	    strncasecmp(field->name, again, strlen(again)) == 0) {
		plain.name += strlen(again);
		plain.name_length -= strlen(again);
		of = &seen->resent;
		seen->is_resent = true;
	}
	of->message_id |= header_is(&plain, "Message-Id");
	of->date |= header_is(&plain, "Date");
	of->from |= header_is(&plain, "From");
	seen->to_or_cc |= header_is(&plain, "To") || header_is(&plain, "Cc");
	seen->received += header_is(field, "Received");
}

/* The field as it is, rewritten, or cut. */
static void
put_field(struct submission *submission, const struct header_field *field,
    struct seen *seen)
{
	struct rewriting rewriting = { submission, rewrite_context(submission),
	    rewrite_field_class(field) };

	note_field(seen, field);
	mime_note(&submission->mime, field);
	if (header_is(field, "Message-Id"))
		note_message_id(submission, field);
	if (is_dropped(field))
		return;
	if (field->raw_length > (size_t)config.header_size_limit)
		append_cut(&submission->header, field);
	else if (rewriting.context != NULL && rewriting.class != 0)
		rewrite_field(&submission->header, field, rewrite_one,
		    &rewriting);
	else
		rewrite_put_field(&submission->header, field);
}

/* What header checks make of it, in out: a field in its place, or before it. */
static enum check_result
check_field(struct submission *submission, const struct header_field *field,
    struct text *out)
{
	enum check_table table = checks_table_of(MIME_OF_MESSAGE, field);
	size_t length = field->raw_length;
	enum check_result result;

	if (!checks_are_wanted(submission, table))
		return CHECK_KEEP;
	if (length > 0 && field->raw[length - 1] == '\n')
		length--;
	if (length > (size_t)config.header_size_limit)
		length = (size_t)config.header_size_limit;

	char *content = mem_strndup(field->raw, length);

	result = checks_ask(submission, table, content, out);
	text_putc(out, '\n');
	free(content);
	return result;
}

static void
take_field(struct submission *submission, const struct header_field *field,
    struct seen *seen)
{
	struct text out = TEXT_EMPTY;
	enum check_result result = check_field(submission, field, &out);
	struct header_walk walk = { .text = out.bytes, .length = out.length };
	struct header_field other;

	if (result == CHECK_PREPEND)
		text_append(&submission->header, out.bytes, out.length);
	if (result == CHECK_KEEP || result == CHECK_PREPEND)
		put_field(submission, field, seen);
	else if (result == CHECK_REPLACE && header_next(&walk, &other))
		put_field(submission, &other, seen);
	text_clear(&out);
}

/* Our own Received field is checked like those that came. */
static void
take_received(struct submission *submission, struct seen *seen)
{
	struct text received = submission->header;
	struct header_walk walk = { .text = received.bytes,
	    .length = received.length };
	struct header_field field;

	if (!checks_are_wanted(submission, CHECK_HEADER))
		return;
	submission->header = (struct text)TEXT_EMPTY;
	while (header_next(&walk, &field))
		take_field(submission, &field, seen);
	text_clear(&received);
	seen->received = 0;
}

/* A phrase (RFC 5322 section 3.2.5): as it is if it is made of atoms, else in quotes. */
static void
put_phrase(struct text *out, const char *name)
{
	bool plain = true;

	for (const char *p = name; *p != '\0'; p++)
		plain &= isalnum((unsigned char)*p) ||
		    strchr(" !#$%&'*+-/=?^_`{|}~", *p) != NULL;
	if (plain) {
		text_puts(out, name);
		return;
	}
	text_putc(out, '"');
	for (const char *p = name; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			text_putc(out, '\\');
		if (!iscntrl((unsigned char)*p))
			text_putc(out, *p);
	}
	text_putc(out, '"');
}

/* A comment (RFC 5322 section 3.2.2). */
static void
put_comment(struct text *out, const char *name)
{
	text_puts(out, " (");
	for (const char *p = name; *p != '\0'; p++) {
		if (strchr("()\\", *p) != NULL)
			text_putc(out, '\\');
		if (!iscntrl((unsigned char)*p))
			text_putc(out, *p);
	}
	text_putc(out, ')');
}

/* "Ada Lovelace <ada@example.org>"; who has no name, or is nobody, has less. */
static void
put_from(struct text *out, const struct envelope *envelope)
{
	if (*envelope->sender == '\0') {
		text_puts(out, "MAILER-DAEMON");
	} else if (*envelope->full_name == '\0') {
		address_quote(out, envelope->sender);
	} else if (strcmp(config.header_from_format, "obsolete") == 0) {
		address_quote(out, envelope->sender);
		put_comment(out, envelope->full_name);
	} else {
		put_phrase(out, envelope->full_name);
		text_puts(out, " <");
		address_quote(out, envelope->sender);
		text_putc(out, '>');
	}
}

static const char *
make_message_id(struct submission *submission, time_t seconds)
{
	char stamp[32];
	struct tm utc;
	const char *id;

	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &utc);
	id = pool_printf(submission->pool, "<%s.%s@%s>", stamp, submission->id,
	    config.myhostname);
	return id == NULL ? "" : id;
}

static void
add_missing(struct submission *submission, const struct seen *seen)
{
	struct text *out = &submission->header;
	struct envelope *envelope = submission->envelope;
	time_t seconds = (time_t)(envelope->arrival_us / 1000000);
	const struct trace_fields *has = seen->is_resent ? &seen->resent :
	    &seen->own;
	const char *prefix = seen->is_resent ? "Resent-" : "";
	char date[MESSAGE_DATE_SIZE];

	message_date(date, seconds);
	if (!has->message_id) {
		const char *id = make_message_id(submission, seconds);

		if (!seen->is_resent)
			envelope->message_id = id;
		text_printf(out, "%sMessage-Id: %s\n", prefix, id);
	}
	if (!has->date)
		text_printf(out, "%sDate: %s\n", prefix, date);
	if (!has->from) {
		text_printf(out, "%sFrom: ", prefix);
		put_from(out, envelope);
		text_putc(out, '\n');
	}
	if (!seen->to_or_cc && *config.undisclosed_recipients_header != '\0')
		text_printf(out, "%s\n", config.undisclosed_recipients_header);
}

static const char *
last_recipient(const struct envelope *envelope)
{
	const struct recipient *last;

	if (envelope->recipient_count == 0)
		return NULL;
	last = &envelope->recipients[envelope->recipient_count - 1];
	return *last->original != '\0' ? last->original : last->address;
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
	submission->unchecked = !submission_is_new(envelope) ||
	    (envelope->flags & ENVELOPE_NO_CHECKS);
	submission->last_recipient = last_recipient(envelope);
	message_received(&submission->header, envelope, config.myhostname,
	    config.mail_name, by_user ? origin : NULL);
}

/* "From " lines of a mailbox, quoted or not, are kept as fields. Gives where the header begins. */
static size_t
keep_mailbox_lines(struct submission *submission)
{
	const char *at = submission->head;
	const char *end = at + submission->head_length;

	for (;;) {
		const char *line = at, *lf;

		while (line < end && *line == '>')
			line++;
		lf = memchr(line, '\n', (size_t)(end - line));
		if (lf == NULL || end - line < 5 || memcmp(line, "From ", 5) != 0)
			return (size_t)(at - submission->head);
		text_printf(&submission->header, "X-Mailbox-Line: %.*s\n",
		    (int)(lf - at), at);
		at = lf + 1;
	}
}

/* Past the empty line at position, if there is one. */
static size_t
skip_empty_line(const struct submission *submission, size_t position)
{
	const char *at = submission->head + position;
	size_t left = submission->head_length - position;

	if (left >= 2 && at[0] == '\r' && at[1] == '\n')
		return position + 2;
	return left >= 1 && at[0] == '\n' ? position + 1 : position;
}

void
rewrite_header(struct submission *submission)
{
	struct header_field field;
	struct seen seen = { 0 };

	if (submission->status != 0)
		return;

	parts_begin(submission);
	take_received(submission, &seen);

	size_t begin = keep_mailbox_lines(submission);
	struct header_walk walk = { .text = submission->head + begin,
	    .length = submission->head_length - begin };

	while (header_next(&walk, &field))
		take_field(submission, &field, &seen);
	if ((submission->envelope->flags & ENVELOPE_LOCAL_ORIGIN) ||
	    config.always_add_missing_headers)
		add_missing(submission, &seen);
	if (seen.received >= config.hopcount_limit)
		submission_refuse(submission, 554, "5.4.0",
		    "Error: too many hops");
	/* A header that ends without an empty line gets one, so that its body stays a body. */
	if (walk.position < walk.length)
		text_putc(&submission->header, '\n');
	submission->body = skip_empty_line(submission, begin + walk.position);
	parts_check(submission);
	if (submission->redirect != NULL)
		expand_redirect(submission);
}
