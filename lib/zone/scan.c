#include "zone/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

#define PIECE	(256 << 10)	/* octets that are read at a time */

void
scan_start(struct scanner *scanner, const char *bytes, size_t length)
{
	memset(scanner, 0, sizeof(*scanner));
	scanner->at = bytes;
	scanner->end = length > 0 ? bytes + length : bytes;
	scanner->line = 1;
	scanner->fd = -1;
}

void
scan_start_file(struct scanner *scanner, int fd)
{
	scan_start(scanner, "", 0);
	scanner->fd = fd;
}

void
scan_stop(struct scanner *scanner)
{
	free(scanner->words);
	free(scanner->buffer);
	memset(scanner, 0, sizeof(*scanner));
}

static int
grow_words(struct scanner *s, const char **why)
{
	if (s->count == SCAN_WORDS_MAX) {
		*why = "too many words in one line";
		return -1;
	}
	s->size = s->size > 0 ? s->size * 2 : 32;
	s->words = mem_resize(s->words, s->size, sizeof(*s->words));
	return 0;
}

static inline int
add_word(struct scanner *s, const char *text, size_t length, bool quoted,
    const char **why)
{
	if (s->count == s->size && grow_words(s, why) == -1)
		return -1;
	s->words[s->count++] = (struct dns_word) { text, length, quoted };
	return 0;
}

/* What is not part of a word, and what begins an escape in it. */
static const bool stops_word[256] = {
	[' '] = true, ['\t'] = true, ['\r'] = true, ['\n'] = true,
	[';'] = true, ['('] = true, [')'] = true, ['"'] = true,
	['\0'] = true, ['\\'] = true,
};

static int
scan_word(struct scanner *s, const char **why)
{
	const char *start = s->at, *at = start, *end = s->end;

	for (;; at++) {
		while (at < end && !stops_word[(uint8_t)*at])
			at++;
		if (at == end || *at != '\\')
			break;
		if (++at == end || *at == '\n') {
			s->at = at;
			*why = at == end ? "unexpected end of input" :
			    "unexpected end of line";
			return -1;
		}
	}
	s->at = at;
	if (at < end && *at == '\0') {
		*why = "syntax error";
		return -1;
	}
	return add_word(s, start, at - start, false, why);
}

static int
scan_quoted(struct scanner *s, const char **why)
{
	const char *start = ++s->at;

	while (s->at < s->end && *s->at != '"' && *s->at != '\n') {
		if (*s->at == '\\' && s->at + 1 < s->end && s->at[1] != '\n')
			s->at++;
		s->at++;
	}
	if (s->at >= s->end || *s->at == '\n') {
		*why = "unbalanced quotes";
		return -1;
	}
	return add_word(s, start, s->at++ - start, true, why);
}

static void
skip_comment(struct scanner *s)
{
	const char *newline = memchr(s->at, '\n', s->end - s->at);

	s->at = newline != NULL ? newline : s->end;
}

/* What stands at s->at. 1: the logical line ends behind it. */
static int
scan_one(struct scanner *s, unsigned *depth, const char **why)
{
	switch (*s->at) {
	case ' ':
	case '\t':
	case '\r':
		s->at++;
		return 0;
	case ';':
		skip_comment(s);
		return 0;
	case '\n':
		if (*depth == 0)
			return 1;
		s->at++;
		s->line++;
		return 0;
	case '(':
		(*depth)++;
		s->at++;
		return 0;
	case ')':
		if (*depth == 0) {
			*why = "unbalanced parentheses";
			return -1;
		}
		(*depth)--;
		s->at++;
		return 0;
	case '"':
		return scan_quoted(s, why);
	default:
		return scan_word(s, why);
	}
}

/*
 * More of the file, behind what there is from start on. False: no more, or
 * with *why an error.
 */
static bool
read_more(struct scanner *s, const char *start, const char **why)
{
	size_t kept = s->end - start;
	ssize_t length;

	*why = NULL;
	if (s->fd == -1)
		return false;
	if (kept >= SCAN_LINE_MAX) {
		*why = "line too long";
		return false;
	}
	if (kept > 0)
		memmove(s->buffer, start, kept);
	if (s->buffer_size - kept < PIECE) {
		s->buffer_size = 2 * kept + PIECE;
		s->buffer = mem_resize(s->buffer, s->buffer_size, 1);
	}
	do
		length = read(s->fd, s->buffer + kept, s->buffer_size - kept);
	while (length == -1 && errno == EINTR);
	if (length == -1)
		*why = strerror(errno);
	s->at = s->buffer;
	s->end = s->buffer + kept + (length > 0 ? length : 0);
	if (length > 0) {
		s->octets += length;
		return true;
	}
	s->fd = -1;
	s->lacks_newline = kept > 0 && s->end[-1] != '\n';
	return *why == NULL && kept > 0;
}

/* One logical line from s->at on. 1 if it had words, 0 if not, -1 with *why. */
static int
scan_line(struct scanner *s, const char **why)
{
	unsigned depth = 0;
	int result = 0;

	s->count = 0;
	s->has_blank_owner = *s->at == ' ' || *s->at == '\t';
	while (s->at < s->end && result == 0)
		result = scan_one(s, &depth, why);
	if (result != -1 && depth > 0) {
		*why = "unbalanced parentheses";
		return -1;
	}
	return result == -1 ? -1 : s->count > 0;
}

int
scan_next(struct scanner *s, const char **why)
{
	for (;;) {
		const char *start = s->at;
		unsigned line = s->line;
		int result = 0;

		s->first = line;
		if (s->at < s->end && *s->at == '\n') {
			s->at++;
			s->line++;
			continue;
		}
		if (s->at < s->end)
			result = scan_line(s, why);
		/* What ends with the piece may go on in the next. */
		if (s->at == s->end && s->fd != -1) {
			if (read_more(s, start, why)) {
				s->line = line;
				continue;
			}
			return *why != NULL ? -1 : 0;
		}
		if (result != 0 || s->at == s->end)
			return result;
	}
}
