/* Characters that no new message may have: message_reject_characters. */

#include "cleanup/cleanup.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"

#define PIECE	65536

static bool refused[256];
static bool are_some;

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

void
characters_open(void)
{
	const char *at = config.message_reject_characters;
	unsigned char character;

	while (*at != '\0') {
		at = read_character(at, &character);
		refused[character] = are_some = true;
	}
}

static bool
has_some(const char *bytes, size_t length)
{
	bool found = false;

	for (size_t i = 0; i < length; i++)
		found |= refused[(unsigned char)bytes[i]];
	return found;
}

static bool
file_has_some(int fd)
{
	char *piece = mem_alloc(PIECE);
	off_t at = 0;
	ssize_t length;
	bool found = false;

	while (!found && (length = pread(fd, piece, PIECE, at)) > 0) {
		found = has_some(piece, (size_t)length);
		at += length;
	}
	free(piece);
	return found;
}

void
characters_check(struct submission *submission)
{
	if (!are_some || submission->status != 0 ||
	    !copies_are_wanted(submission->envelope))
		return;
	if (submission->file == -1 ? has_some(submission->head,
	    submission->head_length) : file_has_some(submission->file))
		submission_refuse(submission, 550, "5.7.1",
		    "disallowed character");
}
