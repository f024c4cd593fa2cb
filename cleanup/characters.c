/* Characters that no new message may have, and those that are taken out: message_reject_characters, message_strip_characters. */

#include "cleanup/cleanup.h"

#include <string.h>
#include <unistd.h>

#include "config/config.h"

struct characters {
	bool	listed[256];
	bool	are_some;
};

static struct characters refused, stripped;

/* A character of the list, \ddd and C's letters included; past it. */
static const char *
read_character(const char *at, unsigned char *character)
{
	static const char letters[] = "abfnrtv", meant[] = "\a\b\f\n\r\t\v";
	const char *letter;
	unsigned value = 0;
	int digits = 0;

	*character = (unsigned char)*at++;
	if (*character != '\\' || *at == '\0')
		return at;
	while (digits < 3 && *at >= '0' && *at <= '7') {
		value = value * 8 + (unsigned)(*at++ - '0');
		digits++;
	}
	if (digits > 0) {
		*character = (unsigned char)value;
		return at;
	}
	letter = strchr(letters, *at);
	*character = (unsigned char)(letter == NULL ? *at :
	    meant[letter - letters]);
	return at + 1;
}

static void
read_list(struct characters *characters, const char *at)
{
	unsigned char character;

	while (*at != '\0') {
		at = read_character(at, &character);
		characters->listed[character] = characters->are_some = true;
	}
}

void
characters_open(void)
{
	read_list(&refused, config.message_reject_characters);
	read_list(&stripped, config.message_strip_characters);
}

static bool
has_some(const struct characters *characters, const char *bytes,
    size_t length)
{
	bool found = false;

	for (size_t i = 0; i < length; i++)
		found |= characters->listed[(unsigned char)bytes[i]];
	return found;
}

static bool
content_has_some(const struct submission *submission,
    const struct characters *characters)
{
	const char *bytes;
	int64_t at = 0;
	ssize_t length;

	while ((length = content_read(submission, at, &bytes)) > 0) {
		if (has_some(characters, bytes, (size_t)length))
			return true;
		at += length;
	}
	return false;
}

static void
append_rest(struct text *out, const char *bytes, size_t length)
{
	char *to = text_reserve(out, length);
	size_t kept = 0;

	for (size_t i = 0; i < length; i++)
		if (!stripped.listed[(unsigned char)bytes[i]])
			to[kept++] = bytes[i];
	out->length += kept;
}

/* All the content without them, in memory or in a file as it was. */
static int
write_rest(const struct submission *submission, struct text *out, int file)
{
	const char *bytes;
	int64_t at = 0;
	ssize_t length;

	while ((length = content_read(submission, at, &bytes)) > 0) {
		append_rest(out, bytes, (size_t)length);
		at += length;
		if (file == -1)
			continue;
		if (fd_write_all(file, text_string(out), out->length) == -1)
			return -1;
		text_truncate(out, 0);
	}
	return (int)length;
}

static void
strip(struct submission *submission)
{
	struct text out = TEXT_EMPTY;
	int file = -1, result = 0;

	if (submission->file != -1 && (file = spool_content_file()) == -1)
		result = -1;
	if (result == 0)
		result = write_rest(submission, &out, file);
	if (result == 0)
		result = content_replace(submission, &out, &file);
	if (result == 0 && submission->file != -1)
		result = receive_head(submission);
	if (result == -1) {
		log_warning("%s: cannot change its content: %m",
		    submission->id);
		submission_refuse(submission, 451, "4.3.0",
		    "Error: queue file write error");
	}
	text_clear(&out);
	fd_close(&file);
}

void
characters_check(struct submission *submission)
{
	if (submission->status != 0 ||
	    !copies_are_wanted(submission->envelope))
		return;
	if (stripped.are_some && content_has_some(submission, &stripped))
		strip(submission);
	if (refused.are_some && content_has_some(submission, &refused))
		submission_refuse(submission, 550, "5.7.1",
		    "disallowed character");
}
