#include "zone/scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

void
scan_start(struct scanner *scanner, const char *bytes, size_t length)
{
	memset(scanner, 0, sizeof(*scanner));
	scanner->at = bytes;
	scanner->end = bytes + length;
	scanner->line = 1;
}

void
scan_stop(struct scanner *scanner)
{
	free(scanner->words);
	memset(scanner, 0, sizeof(*scanner));
}

static int
add_word(struct scanner *s, const char *text, size_t length, bool quoted,
    const char **why)
{
	if (s->count == SCAN_WORDS_MAX) {
		*why = "too many words in one line";
		return -1;
	}
	if (s->count == s->size) {
		s->size = s->size > 0 ? s->size * 2 : 32;
		s->words = mem_resize(s->words, s->size, sizeof(*s->words));
	}
	s->words[s->count++] = (struct dns_word) { text, length, quoted };
	return 0;
}

static bool
ends_word(char c)
{
	switch (c) {
	case ' ':
	case '\t':
	case '\r':
	case '\n':
	case ';':
	case '(':
	case ')':
	case '"':
		return true;
	default:
		return false;
	}
}

static int
scan_word(struct scanner *s, const char **why)
{
	const char *start = s->at;

	while (s->at < s->end && !ends_word(*s->at)) {
		if (*s->at == '\\' && ++s->at == s->end) {
			*why = "unexpected end of input";
			return -1;
		}
		if (*s->at == '\n') {
			*why = "unexpected end of line";
			return -1;
		}
		s->at++;
	}
	return add_word(s, start, s->at - start, false, why);
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

int
scan_next(struct scanner *s, const char **why)
{
	s->count = 0;
	while (s->at < s->end) {
		unsigned depth = 0;
		int result = 0;

		if (*s->at == '\n') {
			s->at++;
			s->line++;
			continue;
		}
		s->has_blank_owner = *s->at == ' ' || *s->at == '\t';
		while (s->at < s->end && result == 0)
			result = scan_one(s, &depth, why);
		if (result == -1)
			return -1;
		if (depth > 0) {
			*why = "unbalanced parentheses";
			return -1;
		}
		if (s->count > 0)
			return 1;
	}
	return 0;
}
