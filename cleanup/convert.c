/* Bodies of 8 bits become 7, before anything looks at them: force_mime_input_conversion. */

#include "cleanup/cleanup.h"

#include <errno.h>

#include "config/config.h"
#include "message/downgrade.h"

/* All the content, in one piece: a multipart's header is changed for what comes far behind it. 0, or -1 with errno. */
static int
read_all(const struct submission *submission, struct text *all)
{
	const char *bytes;
	int64_t at = 0;
	ssize_t length;

	while ((length = content_read(submission, at, &bytes)) > 0) {
		text_append(all, bytes, (size_t)length);
		at += length;
	}
	return (int)length;
}

/* The content from now on, in memory or in a file as it was. Takes its text. 0, or -1 with errno. */
static int
replace(struct submission *submission, struct text *content)
{
	int file = -1, result = 0;

	if (submission->file != -1) {
		file = spool_content_file();
		if (file == -1 || fd_write_all(file, content->bytes,
		    content->length) == -1)
			result = -1;
	}
	if (result == 0)
		result = content_replace(submission, content, &file);
	if (result == 0 && submission->file != -1)
		result = receive_head(submission);
	fd_close(&file);
	return result;
}

void
convert_content(struct submission *submission)
{
	struct text all = TEXT_EMPTY, converted = TEXT_EMPTY;
	int result;

	if (submission->status != 0 || !config.force_mime_input_conversion ||
	    config.disable_mime_input_processing ||
	    !submission_is_new(submission->envelope))
		return;
	result = read_all(submission, &all);
	if (result == 0 && !text_is_ascii(text_string(&all), all.length)) {
		downgrade(&converted, all.bytes, all.length,
		    config.mime_nesting_limit,
		    (size_t)config.mime_boundary_length_limit);
		if (text_is_ascii(converted.bytes, converted.length))
			submission->envelope->flags &= ~ENVELOPE_8BIT;
		result = replace(submission, &converted);
	}
	if (result == -1) {
		log_warning("%s: cannot convert its content: %m",
		    submission->id);
		submission_refuse(submission, errno == ENOSPC ? 452 : 451,
		    "4.3.0", "Error: queue file write error");
	}
	text_clear(&all);
	text_clear(&converted);
}
