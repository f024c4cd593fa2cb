#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/memory.h"

char *
text_reserve(struct text *text, size_t length)
{
	if (length > SIZE_MAX / 2 - text->length)
		fatal("out of memory: a string of %zu bytes", text->length);
	if (text->size < text->length + length + 1) {
		size_t size = text->size < 64 ? 64 : text->size;

		while (size < text->length + length + 1)
			size *= 2;
		text->bytes = mem_resize(text->bytes, size, 1);
		text->size = size;
	}
	return text->bytes + text->length;
}

void
text_append(struct text *text, const void *bytes, size_t length)
{
	char *room = text_reserve(text, length);

	if (length > 0)
		memcpy(room, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

void
text_puts(struct text *text, const char *string)
{
	text_append(text, string, strlen(string));
}

void
text_putc(struct text *text, char c)
{
	text_append(text, &c, 1);
}

void
text_put_number(struct text *text, uint64_t number)
{
	char digits[20], *at = digits + sizeof(digits);

	do
		*--at = '0' + (char)(number % 10);
	while ((number /= 10) > 0);
	text_append(text, at, digits + sizeof(digits) - at);
}

void
text_vprintf(struct text *text, const char *format, va_list arguments)
{
	va_list again;

	va_copy(again, arguments);

	char *room = text_reserve(text, 128);
	size_t size = text->size - text->length;
	int length = vsnprintf(room, size, format, arguments);

	if (length < 0)
		fatal("cannot format \"%s\"", format);
	if ((size_t)length >= size) {
		room = text_reserve(text, (size_t)length);
		vsnprintf(room, (size_t)length + 1, format, again);
	}
	va_end(again);
	text->length += (size_t)length;
}

void
text_printf(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_vprintf(text, format, arguments);
	va_end(arguments);
}

void
text_drop(struct text *text, size_t length)
{
	if (length >= text->length) {
		text_truncate(text, 0);
		return;
	}
	text->length -= length;
	memmove(text->bytes, text->bytes + length, text->length + 1);
}

void
text_truncate(struct text *text, size_t length)
{
	if (length < text->length)
		text->length = length;
	if (text->bytes != NULL)
		text->bytes[text->length] = '\0';
}

const char *
text_string(const struct text *text)
{
	return text->bytes != NULL ? text->bytes : "";
}

char *
text_take(struct text *text)
{
	char *bytes = text->bytes != NULL ? text->bytes : mem_strdup("");

	*text = (struct text)TEXT_EMPTY;
	return bytes;
}

void
text_clear(struct text *text)
{
	free(text->bytes);
	*text = (struct text)TEXT_EMPTY;
}

char *
word_next(char **cursor, const char *separators)
{
	char *word = *cursor + strspn(*cursor, separators);

	if (*word == '\0') {
		*cursor = word;
		return NULL;
	}

	char *end = word + strcspn(word, separators);

	*cursor = *end == '\0' ? end : end + 1;
	*end = '\0';
	return word;
}

bool
text_equal_nocase(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

bool
text_starts_with(const char *string, const char *prefix)
{
	return strncmp(string, prefix, strlen(prefix)) == 0;
}

bool
text_ends_with(const char *string, const char *suffix)
{
	size_t length = strlen(string), wanted = strlen(suffix);

	return length >= wanted && strcmp(string + length - wanted, suffix) == 0;
}

char *
text_lower(char *string)
{
	for (char *p = string; *p != '\0'; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	}
	return string;
}

bool
text_is_ascii(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

/* Bytes of the UTF-8 sequence, not ASCII, that text begins with; 0 if it is none (RFC 3629 section 4). */
static size_t
utf8_sequence(const unsigned char *text, size_t length)
{
	static const struct {
		unsigned char first, last;	/* of the leading byte */
		unsigned char low, high;	/* of the second byte */
		size_t size;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },	/* no surrogates */
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (text[0] < forms[i].first || text[0] > forms[i].last)
			continue;
		if (length < forms[i].size || text[1] < forms[i].low ||
		    text[1] > forms[i].high)
			return 0;
		for (size_t at = 2; at < forms[i].size; at++)
			if ((text[at] & 0xc0) != 0x80)
				return 0;
		return forms[i].size;
	}
	return 0;
}

static inline size_t
utf8_character(const unsigned char *text, size_t length)
{
	return *text < 0x80 ? 1 : utf8_sequence(text, length);
}

bool
text_is_utf8(const char *text, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t size = utf8_character((const unsigned char *)text + i,
		    length - i);

		if (size == 0)
			return false;
		i += size;
	}
	return true;
}

char *
text_printable(char *string)
{
	unsigned char *p = (unsigned char *)string;
	const unsigned char *end = p + strlen(string);

	while (p < end) {
		size_t length = utf8_character(p, end - p);

		if (length == 0 || *p < 0x20 || *p == 0x7f) {
			*p = '?';
			length = 1;
		}
		p += length;
	}
	return string;
}

char *
text_trim(char *string)
{
	string += strspn(string, " \t\r\n");

	size_t length = strlen(string);

	while (length > 0 && strchr(" \t\r\n", string[length - 1]) != NULL)
		length--;
	string[length] = '\0';
	return string;
}

bool
list_has_word(const char *list, const char *word)
{
	size_t wanted = strlen(word);

	while (*list != '\0') {
		size_t length = strcspn(list, LIST_SEPARATORS);

		if (length == wanted && strncasecmp(list, word, length) == 0)
			return true;
		list += length;
		list += strspn(list, LIST_SEPARATORS);
	}
	return false;
}
