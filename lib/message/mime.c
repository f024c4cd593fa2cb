#include "message/mime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

/* As much of what is wrong is told. */
#define CULPRIT_MAX	100

/* A multipart around what is read: its boundary, and whether its parts are messages unless they say otherwise. */
struct mime_level {
	char	*boundary;
	size_t	 length;
	bool	 is_digest;
};

static bool
has_8bit(const char *bytes, size_t length)
{
	unsigned char all = 0;

	for (size_t i = 0; i < length; i++)
		all |= (unsigned char)bytes[i];
	return all & 0x80;
}

static void
note_wrong(struct mime_reader *reader, unsigned what, const char *at,
    size_t length)
{
	reader->wrong |= what;
	if (length > 0 && at[length - 1] == '\n')
		length--;
	if (reader->culprit.length == 0)
		text_append(&reader->culprit, at,
		    length < CULPRIT_MAX ? length : CULPRIT_MAX);
}

/* The next word of a structured field: a token, a quoted string or a single special; comments are passed over. False at the end. */
static bool
next_word(const char **cursor, const char *end, struct text *word)
{
	const char *at = *cursor;
	int depth = 0;

	text_truncate(word, 0);
	while (at < end && (depth > 0 || *at == '(' ||
	    strchr(" \t\r\n", *at) != NULL)) {
		if (*at == '\\' && at + 1 < end)
			at++;
		else if (*at == '(')
			depth++;
		else if (*at == ')')
			depth--;
		at++;
	}
	*cursor = end;
	if (at >= end)
		return false;
	if (*at == '"') {
		for (at++; at < end && *at != '"'; at++) {
			if (*at == '\\' && at + 1 < end)
				at++;
			if (*at != '\n' && *at != '\r')
				text_putc(word, *at);
		}
		*cursor = at < end ? at + 1 : end;
		return true;
	}

	const char *from = at++;

	if (strchr("/;=", *from) == NULL) {
		while (at < end && memchr("/;=\"( \t\r\n", *at, 9) == NULL)
			at++;
	}
	text_append(word, from, (size_t)(at - from));
	*cursor = at;
	return true;
}

static bool
is_word(const struct text *word, const char *name)
{
	return strcasecmp(text_string(word), name) == 0;
}

/* The boundary among the parameters that follow a type. */
static void
read_boundary(struct mime_reader *reader, const char *at, const char *end)
{
	struct text word = TEXT_EMPTY;
	bool is_name = false;

	text_truncate(&reader->boundary, 0);
	while (next_word(&at, end, &word)) {
		if (is_word(&word, ";")) {
			is_name = true;
			continue;
		}
		bool is_boundary = is_name && is_word(&word, "boundary");

		is_name = false;
		if (is_boundary && next_word(&at, end, &word) &&
		    is_word(&word, "=") && next_word(&at, end, &word)) {
			text_append(&reader->boundary, text_string(&word),
			    word.length < reader->longest_boundary ?
			    word.length : reader->longest_boundary);
			break;
		}
	}
	text_clear(&word);
}

static void
note_type(struct mime_reader *reader, const struct header_field *field)
{
	const char *at = field->value, *end = at + field->value_length;
	struct text type = TEXT_EMPTY, word = TEXT_EMPTY;

	snprintf(reader->type, sizeof(reader->type), "%.*s",
	    (int)(field->raw_length < sizeof(reader->type) ?
	    field->raw_length : sizeof(reader->type)), field->raw);
	next_word(&at, end, &type);
	if (next_word(&at, end, &word) && is_word(&word, "/"))
		next_word(&at, end, &word);
	else
		text_truncate(&word, 0);
	reader->is_multipart = is_word(&type, "multipart");
	reader->is_message = is_word(&type, "message") &&
	    (is_word(&word, "rfc822") || is_word(&word, "global"));
	reader->is_composite = reader->is_multipart || is_word(&type, "message");
	reader->in_digest = reader->is_multipart && is_word(&word, "digest");
	if (reader->is_multipart)
		read_boundary(reader, at, end);
	text_clear(&type);
	text_clear(&word);
}

static void
note_encoding(struct mime_reader *reader, const struct header_field *field)
{
	const char *at = field->value;
	struct text word = TEXT_EMPTY;

	next_word(&at, at + field->value_length, &word);
	reader->domain = is_word(&word, "8bit") ? MIME_8BIT :
	    is_word(&word, "binary") ? MIME_BINARY : MIME_7BIT;
	reader->is_encoded = is_word(&word, "quoted-printable") ||
	    is_word(&word, "base64");
	reader->saw_8bit |= reader->domain != MIME_7BIT;
	strlcpy(reader->encoding, text_string(&word), sizeof(reader->encoding));
	text_clear(&word);
}

void
mime_note(struct mime_reader *reader, const struct header_field *field)
{
	if (reader->looks_for_8bit && has_8bit(field->raw, field->raw_length))
		note_wrong(reader, MIME_8BIT_FIELD, field->raw,
		    field->raw_length);
	if (header_is(field, "Content-Type"))
		note_type(reader, field);
	else if (header_is(field, "Content-Transfer-Encoding"))
		note_encoding(reader, field);
}

/* A header begins, or a body without one: text/plain, or a message in a digest. */
static void
forget_header(struct mime_reader *reader, bool is_message)
{
	reader->is_multipart = reader->in_digest = false;
	reader->is_message = reader->is_composite = is_message;
	reader->domain = MIME_7BIT;
	reader->is_encoded = false;
	reader->offset = 0;
	text_truncate(&reader->boundary, 0);
}

static void
enter_header(struct mime_reader *reader, enum mime_header of, bool is_message)
{
	reader->in_header = true;
	reader->of = of;
	forget_header(reader, is_message);
}

static void
push_level(struct mime_reader *reader)
{
	struct mime_level *level;

	/* The outermost is not in another, and two are forgiven, as they are in Postfix. */
	if (reader->depth > reader->deepest + 1) {
		note_wrong(reader, MIME_TOO_DEEP, reader->type,
		    strlen(reader->type));
		return;
	}
	reader->levels = mem_resize(reader->levels, (size_t)reader->depth + 1,
	    sizeof(*reader->levels));
	level = &reader->levels[reader->depth++];
	level->length = reader->boundary.length;
	level->boundary = mem_strndup(text_string(&reader->boundary),
	    level->length);
	level->is_digest = reader->in_digest;
}

static void
pop_to(struct mime_reader *reader, int depth)
{
	while (reader->depth > depth)
		free(reader->levels[--reader->depth].boundary);
}

/* The header is over, with an empty line or without: what is its body? */
static void
leave_header(struct mime_reader *reader, bool is_marked)
{
	reader->in_header = false;
	reader->offset = 0;
	if (reader->is_composite && reader->is_encoded)
		note_wrong(reader, MIME_BAD_ENCODING, reader->encoding,
		    strlen(reader->encoding));
	if (reader->events->end_of_header != NULL)
		reader->events->end_of_header(reader->argument, is_marked);
	if (reader->is_multipart && reader->boundary.length > 0)
		push_level(reader);
	if (reader->is_message && is_marked)
		enter_header(reader, MIME_OF_NESTED, false);
}

bool
mime_field_parse(const struct mime_field *raw, struct header_field *field)
{
	struct header_walk walk = { .text = raw->raw, .length = raw->length };

	return header_next(&walk, field);
}

static void
tell_field(struct mime_reader *reader, int64_t to)
{
	struct mime_field told = { text_string(&reader->field),
	    reader->field.length, reader->of, reader->field_from, to };
	struct header_field field;

	if (reader->field.length == 0)
		return;
	if (reader->field_is_cut)
		note_wrong(reader, MIME_CUT_FIELD, told.raw, told.length);
	if (mime_field_parse(&told, &field))
		mime_note(reader, &field);
	if (reader->events->field != NULL)
		reader->events->field(reader->argument, &told);
	text_truncate(&reader->field, 0);
	reader->field_is_cut = false;
}

static void
add_to_field(struct mime_reader *reader, const struct mime_line *line)
{
	size_t room = reader->longest_field > reader->field.length + 1 ?
	    reader->longest_field - reader->field.length - 1 : 0;
	bool is_fold = line->begins && reader->field.length > 0;

	if (room < line->length + is_fold)
		reader->field_is_cut = true;
	if (room == 0)
		return;
	if (is_fold)
		text_putc(&reader->field, '\n');
	text_append(&reader->field, line->bytes,
	    line->length < room ? line->length : room);
}

/* Which level's boundary is it? -1: none. */
static int
find_boundary(const struct mime_reader *reader, const struct mime_line *line)
{
	if (!line->begins || line->length < 3 || line->bytes[0] != '-' ||
	    line->bytes[1] != '-')
		return -1;
	for (int i = reader->depth - 1; i >= 0; i--) {
		const struct mime_level *level = &reader->levels[i];

		if (line->length - 2 >= level->length &&
		    memcmp(line->bytes + 2, level->boundary, level->length) == 0)
			return i;
	}
	return -1;
}

static void
tell_line(struct mime_reader *reader, struct mime_line *line)
{
	line->offset = reader->offset;
	reader->offset += (int64_t)line->length;
	if (reader->looks_for_8bit && reader->domain == MIME_7BIT &&
	    has_8bit(line->bytes, line->length))
		note_wrong(reader, MIME_8BIT_BODY, line->bytes, line->length);
	if (reader->events->line != NULL)
		reader->events->line(reader->argument, line);
}

static void
take_boundary(struct mime_reader *reader, struct mime_line *line, int at)
{
	const struct mime_level *level = &reader->levels[at];
	const char *behind = line->bytes + 2 + level->length;
	bool is_last = line->length >= level->length + 4 &&
	    behind[0] == '-' && behind[1] == '-';
	bool is_digest = level->is_digest;

	line->is_boundary = true;
	tell_line(reader, line);
	pop_to(reader, is_last ? at : at + 1);
	if (is_last)
		forget_header(reader, false);
	else
		enter_header(reader, MIME_OF_PART, is_digest);
}

static void
take_body_line(struct mime_reader *reader, struct mime_line *line)
{
	int boundary = find_boundary(reader, line);

	if (boundary == -1)
		tell_line(reader, line);
	else
		take_boundary(reader, line, boundary);
}

static bool
begins_field(const struct mime_line *line)
{
	struct header_walk walk = { .text = line->bytes, .length = line->length };
	struct header_field field;

	return header_next(&walk, &field);
}

static void
take_header_line(struct mime_reader *reader, struct mime_line *line)
{
	bool is_blank = line->length > 0 &&
	    (line->bytes[0] == ' ' || line->bytes[0] == '\t');
	bool is_first = reader->at_first;

	reader->at_first = false;
	if (reader->field.length > 0 && (!line->begins || is_blank)) {
		add_to_field(reader, line);
		return;
	}
	tell_field(reader, line->from);
	if (line->begins && begins_field(line)) {
		reader->field_from = line->from;
		add_to_field(reader, line);
	} else if (line->length == 0) {
		leave_header(reader, true);
	} else if (is_first && line->length >= 5 &&
	    memcmp(line->bytes, "From ", 5) == 0) {
		tell_line(reader, line);	/* a mailbox's line before the header */
	} else {
		leave_header(reader, false);
		take_body_line(reader, line);
	}
}

static void
take_line(struct mime_reader *reader, const char *bytes, size_t length,
    bool ends)
{
	struct mime_line line = { .bytes = bytes, .length = length,
	    .begins = reader->line_begins, .ends = ends,
	    .from = reader->position,
	    .to = reader->position + (int64_t)length + ends };

	reader->position = line.to;
	reader->line_begins = ends;
	if (reader->in_header)
		take_header_line(reader, &line);
	else
		take_body_line(reader, &line);
}

void
mime_begin_body(struct mime_reader *reader)
{
	reader->line_begins = true;
	leave_header(reader, true);
}

void
mime_begin(struct mime_reader *reader)
{
	reader->line_begins = reader->at_first = true;
	enter_header(reader, MIME_OF_MESSAGE, false);
}

void
mime_read(struct mime_reader *reader, const char *bytes, size_t length)
{
	const char *end = bytes + length;

	while (bytes < end) {
		struct text *begun = &reader->line;
		size_t room = MIME_LINE - begun->length;
		size_t left = (size_t)(end - bytes);
		size_t piece = left < room + 1 ? left : room + 1;
		const char *lf = memchr(bytes, '\n', piece);
		bool is_whole = lf != NULL || left > room;

		piece = lf != NULL ? (size_t)(lf - bytes) :
		    left > room ? room : left;
		if (begun->length > 0 || !is_whole)
			text_append(begun, bytes, piece);
		if (is_whole && begun->length > 0) {
			take_line(reader, begun->bytes, begun->length,
			    lf != NULL);
			text_truncate(begun, 0);
		} else if (is_whole) {
			take_line(reader, bytes, piece, lf != NULL);
		}
		bytes += piece + (lf != NULL);
	}
}

void
mime_finish(struct mime_reader *reader)
{
	if (reader->line.length > 0)
		take_line(reader, reader->line.bytes, reader->line.length,
		    false);
	text_truncate(&reader->line, 0);
	if (reader->in_header) {
		tell_field(reader, reader->position);
		leave_header(reader, false);
	}
}

void
mime_clear(struct mime_reader *reader)
{
	pop_to(reader, 0);
	free(reader->levels);
	reader->levels = NULL;
	text_clear(&reader->boundary);
	text_clear(&reader->field);
	text_clear(&reader->line);
	text_clear(&reader->culprit);
}

bool
mime_is_field(const struct header_field *field)
{
	static const char *const mime[] = { "Content-Description",
	    "Content-Disposition", "Content-Id", "Content-Transfer-Encoding",
	    "Content-Type", "MIME-Version" };

	for (size_t i = 0; i < sizeof(mime) / sizeof(mime[0]); i++)
		if (header_is(field, mime[i]))
			return true;
	return false;
}

const char *
mime_wrong_status(unsigned wrong, const char **words)
{
	static const struct {
		unsigned	 bit;
		const char	*status, *words;
	} rows[] = {
		{ MIME_TOO_DEEP, "5.6.0", "MIME nesting exceeds safety limit" },
		{ MIME_CUT_FIELD, "5.6.0",
		    "message header length exceeds safety limit" },
		{ MIME_8BIT_FIELD, "5.6.0",
		    "improper use of 8-bit data in message header" },
		{ MIME_8BIT_BODY, "5.6.0",
		    "improper use of 8-bit data in message body" },
		{ MIME_BAD_ENCODING, "5.6.0",
		    "invalid message/* or multipart/* encoding domain" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (wrong & rows[i].bit) {
			*words = rows[i].words;
			return rows[i].status;
		}
	}
	*words = "";
	return "";
}
