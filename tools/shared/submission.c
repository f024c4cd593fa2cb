#include "tools/shared/submission.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "address/address.h"
#include "base/base.h"
#include "config/config.h"
#include "message/header.h"

void
submission_init(struct submission *submission)
{
	*submission = (struct submission){ .pool = pool_new(0) };
	submission->envelope = envelope_new(submission->pool);
	submission->envelope->flags = ENVELOPE_LOCAL_ORIGIN;
}

void
submission_clear(struct submission *submission)
{
	pool_free(&submission->pool);
	text_clear(&submission->content);
}

size_t
submission_add_recipients(struct submission *submission, const char *text,
    size_t length)
{
	struct address_list list = { .text = text, .length = length };
	struct address_found found;
	size_t count = 0;

	while (address_list_next(&list, &found)) {
		if (*found.address == '\0' || found.too_long)
			continue;
		envelope_add_recipient(submission->envelope,
		    pool_strdup(submission->pool, found.address));
		count++;
	}
	return count;
}

/* A mailbox's separator, which some programs leave in front of the header. */
static bool
is_mbox_from(const struct submission *submission, const char *line,
    size_t length)
{
	if (submission->content.length > 0)
		return false;
	return (length >= 5 && memcmp(line, "From ", 5) == 0) ||
	    (length >= 6 && memcmp(line, ">From ", 6) == 0);
}

/* A line without its end, as another part of the content. */
static void
add_line(struct submission *submission, const char *line, size_t length)
{
	struct text *content = &submission->content;

	if (is_mbox_from(submission, line, length))
		return;
	if (config.message_size_limit > 0 && (int64_t)(content->length +
	    length) >= config.message_size_limit) {
		submission->too_large = true;
		return;
	}

	size_t start = content->length;
	char *cr;

	text_append(content, line, length);
	text_putc(content, '\n');
	while ((cr = memchr(content->bytes + start, '\r',
	    content->length - start)) != NULL)
		*cr = ' ';	/* a bare CR ends no line, here or later on the road */
}

int
submission_read(struct submission *submission, FILE *in, bool dot_ends)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	errno = 0;
	while (!submission->too_large &&
	    (length = getline(&line, &size, in)) != -1) {
		if (length > 0 && line[length - 1] == '\n')
			length--;
		if (length > 0 && line[length - 1] == '\r')
			length--;
		if (dot_ends && length == 1 && *line == '.')
			break;
		add_line(submission, line, (size_t)length);
	}
	free(line);
	return ferror(in) ? -1 : 0;
}

static bool
is_resent(const struct header_field *field)
{
	return field->name_length > 7 &&
	    strncasecmp(field->name, "Resent-", 7) == 0;
}

static bool
has_resent(const struct submission *submission)
{
	struct header_walk walk = { submission->content.bytes,
	    submission->content.length, 0 };
	struct header_field field;

	while (header_next(&walk, &field)) {
		if (is_resent(&field))
			return true;
	}
	return false;
}

void
submission_take_header_recipients(struct submission *submission)
{
	static const char *const original[] = { "To", "Cc", "Bcc" };
	static const char *const resent[] = { "Resent-To", "Resent-Cc",
	    "Resent-Bcc" };
	const char *const *names = has_resent(submission) ? resent : original;
	struct header_walk walk = { submission->content.bytes,
	    submission->content.length, 0 };
	struct header_field field;

	while (header_next(&walk, &field)) {
		for (size_t i = 0; i < COUNT_OF(original); i++) {
			if (header_is(&field, names[i]))
				submission_add_recipients(submission,
				    field.value, field.value_length);
		}
	}
}
