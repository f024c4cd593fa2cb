/*
 * parts - what is behind the header of a message
 *
 * Its body, or the parts of it with headers and bodies of their own
 * (message/mime.h), line by line, for body_checks and the checks of MIME
 * headers, and for the strict_... parameters. Changes are noted while it is read, and made
 * when all was seen. A message that nothing is asked of is not read at all.
 */

#include "cleanup/cleanup.h"

#include <errno.h>
#include <string.h>

#include "config/config.h"
#include "table/asker.h"

/* While the parts of a message are read. */
struct reading {
	struct submission *submission;
	struct edits	 edits;
	struct text	 key, out;
};

static bool
looks_at(const struct reading *reading, enum check_table table)
{
	return checks_are_wanted(reading->submission, table);
}

/* What became of content that a table was asked for, in the range that it had. */
static void
note_result(struct reading *reading, enum check_result result, int64_t from,
    int64_t to, const char *end)
{
	if (result == CHECK_DROP) {
		edits_add(&reading->edits, from, to, "", 0);
	} else if (result == CHECK_PREPEND) {
		text_putc(&reading->out, '\n');
		edits_add(&reading->edits, from, from, reading->out.bytes,
		    reading->out.length);
	} else if (result == CHECK_REPLACE) {
		text_puts(&reading->out, end);
		edits_add(&reading->edits, from, to, reading->out.bytes,
		    reading->out.length);
	}
}

static void
on_field(void *argument, const struct mime_field *raw)
{
	struct reading *reading = argument;
	struct header_field field;
	enum check_table table;

	if (!mime_field_parse(raw, &field))
		return;
	table = checks_table_of(raw->of, &field);
	if (!looks_at(reading, table))
		return;
	note_result(reading, checks_ask(reading->submission, table, raw->raw,
	    &reading->out), raw->from, raw->to, "\n");
}

static void
on_line(void *argument, const struct mime_line *line)
{
	struct reading *reading = argument;
	int limit = config.body_checks_size_limit;

	if (!looks_at(reading, CHECK_BODY) ||
	    (limit > 0 && line->offset >= limit))
		return;
	text_truncate(&reading->key, 0);
	text_append(&reading->key, line->bytes, line->length);
	note_result(reading, checks_ask(reading->submission, CHECK_BODY,
	    text_string(&reading->key), &reading->out), line->from, line->to,
	    line->ends ? "\n" : "");
}

static const struct mime_events events = {
	.field = on_field,
	.line = on_line,
};

/* What strict_... parameters forbid, and what nobody may do. */
static unsigned
forbidden(const struct submission *submission)
{
	unsigned bits = MIME_TOO_DEEP;

	if (!submission_is_new(submission->envelope))
		return 0;
	if ((config.strict_8bitmime || config.strict_7bit_headers) &&
	    !(submission->envelope->flags & ENVELOPE_SMTPUTF8))
		bits |= MIME_8BIT_FIELD;
	if (config.strict_8bitmime || config.strict_8bitmime_body)
		bits |= MIME_8BIT_BODY;
	if (config.strict_mime_encoding_domain)
		bits |= MIME_BAD_ENCODING;
	return bits;
}

void
parts_begin(struct submission *submission)
{
	submission->mime = (struct mime_reader){
		.events = &events,
		.deepest = config.mime_nesting_limit,
		.longest_boundary = (size_t)config.mime_boundary_length_limit,
		.longest_field = (size_t)config.header_size_limit,
		.looks_for_8bit = forbidden(submission) &
		    (MIME_8BIT_FIELD | MIME_8BIT_BODY),
	};
}

static bool
must_be_read(const struct submission *submission)
{
	const struct mime_reader *mime = &submission->mime;
	bool has_parts = mime->is_multipart || mime->is_message;

	return mime->looks_for_8bit ||
	    checks_are_wanted(submission, CHECK_BODY) || (has_parts &&
	    (config.strict_mime_encoding_domain ||
	    config.detect_8bit_encoding_header ||
	    checks_are_wanted(submission, CHECK_MIME_HEADER) ||
	    checks_are_wanted(submission, CHECK_NESTED_HEADER)));
}

static int
read_all(struct submission *submission)
{
	int64_t at = (int64_t)submission->body;
	const char *bytes;
	ssize_t length;

	mime_begin_body(&submission->mime);
	while ((length = content_read(submission, at, &bytes)) > 0) {
		mime_read(&submission->mime, bytes, (size_t)length);
		at += length;
		if (submission->status != 0 || table_is_asking())
			return 0;
	}
	mime_finish(&submission->mime);
	return (int)length;
}

static void
refuse_what_is_wrong(struct submission *submission)
{
	unsigned wrong = submission->mime.wrong & forbidden(submission);
	const char *words, *status;

	if (wrong == 0 || submission->status != 0)
		return;
	status = mime_wrong_status(wrong, &words);
	checks_tell_wrong(submission, words);
	checks_refuse(submission, status, words);
}

void
parts_check(struct submission *submission)
{
	struct reading reading = { .submission = submission };

	submission->mime.argument = &reading;
	if (config.disable_mime_input_processing)
		submission->mime.is_multipart = submission->mime.is_message =
		    submission->mime.is_composite = false;
	if (submission->status == 0 && !table_is_asking() &&
	    must_be_read(submission) &&
	    (read_all(submission) == -1 || (reading.edits.count > 0 &&
	    submission->status == 0 && !table_is_asking() &&
	    edits_apply(&reading.edits, submission) == -1))) {
		log_warning("%s: cannot change its content: %m",
		    submission->id);
		submission_refuse(submission, errno == ENOSPC ? 452 : 451,
		    "4.3.0", "Error: queue file write error");
	}
	refuse_what_is_wrong(submission);
	if (config.detect_8bit_encoding_header && submission->mime.saw_8bit)
		submission->envelope->flags |= ENVELOPE_8BIT;
	edits_clear(&reading.edits);
	text_clear(&reading.key);
	text_clear(&reading.out);
	mime_clear(&submission->mime);
}
