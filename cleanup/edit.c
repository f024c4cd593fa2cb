/* edit - content that is changed becomes other content, in memory or in a file as it was */

#include "cleanup/cleanup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE	65536

struct edit {
	int64_t	from, to;	/* in the body */
	size_t	text, length;	/* what comes there, in edits.text */
};

void
edits_add(struct edits *edits, int64_t from, int64_t to, const char *text,
    size_t length)
{
	/* Lines that go one after the other are one edit. */
	struct edit *last = edits->count == 0 ? NULL :
	    &edits->list[edits->count - 1];

	if (last == NULL || last->to != from) {
		if ((edits->count & (edits->count - 1)) == 0)
			edits->list = mem_resize(edits->list,
			    edits->count == 0 ? 1 : edits->count * 2,
			    sizeof(*edits->list));
		last = &edits->list[edits->count++];
		*last = (struct edit){ .from = from, .to = from,
		    .text = edits->text.length };
	}
	last->to = to;
	last->length += length;
	text_append(&edits->text, text, length);
}

void
edits_clear(struct edits *edits)
{
	free(edits->list);
	edits->list = NULL;
	edits->count = 0;
	text_clear(&edits->text);
}

ssize_t
content_read(const struct submission *submission, int64_t offset,
    const char **bytes)
{
	static char piece[PIECE];

	*bytes = piece;
	if (submission->file != -1)
		return pread(submission->file, piece, sizeof(piece), offset);
	*bytes = submission->head + offset;
	return (ssize_t)(submission->head_length - (size_t)offset);
}

int
content_replace(struct submission *submission, struct text *bytes, int *file)
{
	struct stat st;

	if (submission->file != -1) {
		if (fstat(*file, &st) == -1)
			return -1;
		fd_close(&submission->changed_file);
		submission->file = submission->changed_file = *file;
		submission->file_length = st.st_size;
		*file = -1;
	}
	text_clear(&submission->changed);
	submission->changed = *bytes;
	*bytes = (struct text)TEXT_EMPTY;
	submission->head = text_string(&submission->changed);
	submission->head_length = submission->changed.length;
	return 0;
}

/* To the file, when there is one and enough has come together. */
static int
put(struct text *out, int file, const char *bytes, size_t length, bool at_end)
{
	text_append(out, bytes, length);
	if (file == -1 || (out->length < PIECE && !at_end))
		return 0;
	if (fd_write_all(file, out->bytes, out->length) == -1)
		return -1;
	text_truncate(out, 0);
	return 0;
}

/* The content from..to as it is; all that there is when to is -1. */
static int
put_content(const struct submission *submission, struct text *out, int file,
    int64_t from, int64_t to)
{
	const char *bytes;

	while (to == -1 || from < to) {
		ssize_t length = content_read(submission, from, &bytes);

		if (length <= 0)
			return (int)length;
		if (to != -1 && length > to - from)
			length = to - from;
		if (put(out, file, bytes, (size_t)length, false) == -1)
			return -1;
		from += length;
	}
	return 0;
}

/* Only the body is left of the content: the header has been taken from it. */
int
edits_apply(struct edits *edits, struct submission *submission)
{
	int64_t body = (int64_t)submission->body, at = body;
	struct text out = TEXT_EMPTY;
	int file = -1, result = 0;

	if (submission->file != -1 && (file = spool_content_file()) == -1)
		return -1;
	for (size_t i = 0; i < edits->count && result == 0; i++) {
		const struct edit *edit = &edits->list[i];

		result = put_content(submission, &out, file, at,
		    body + edit->from);
		if (result == 0 && edit->length > 0)
			result = put(&out, file,
			    edits->text.bytes + edit->text, edit->length,
			    false);
		at = body + edit->to;
	}
	if (result == 0)
		result = put_content(submission, &out, file, at, -1);
	if (result == 0)
		result = put(&out, file, "", 0, true);
	if (result == 0)
		result = content_replace(submission, &out, &file);
	submission->body = 0;
	text_clear(&out);
	fd_close(&file);
	return result;
}
