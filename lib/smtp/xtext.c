/* xtext - addresses and ids as parameters: RFC 3461 section 4, RFC 6533 section 3 */

#include "smtp/command.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "address/address.h"

static int
hex_digit(char c)
{
	/* Capitals only, says RFC 3461. */
	return isdigit((unsigned char)c) ? c - '0' :
	    c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int
smtp_xtext_decode(const char *text, size_t length, char *decoded, size_t size)
{
	size_t out = 0;

	for (size_t at = 0; at < length; at++) {
		unsigned char c = text[at];

		if (c == '+') {
			if (length - at < 3)
				return -1;

			int high = hex_digit(text[at + 1]);
			int low = hex_digit(text[at + 2]);

			if (high == -1 || low == -1)
				return -1;
			c = high * 16 + low;
			at += 2;
		} else if (c == '=')
			return -1;
		if (c < 0x20 || c >= 0x7f || out + 1 >= size)
			return -1;
		decoded[out++] = c;
	}
	decoded[out] = '\0';
	return 0;
}

void
smtp_xtext_encode(struct text *out, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = *text;

		if (c == '+' || c == '=' || c <= ' ' || c >= 0x7f)
			text_printf(out, "+%02X", c);
		else
			text_putc(out, c);
	}
}

bool
smtp_is_utf8_type(const char *type, size_t length)
{
	return length == 5 && strncasecmp(type, "utf-8", 5) == 0;
}

/* "\\x{E5}" at text: gives its length, 0 if it is none. */
static size_t
read_code_point(const char *text, size_t length, uint32_t *code)
{
	size_t at = 3;

	*code = 0;
	if (length < 5 || memcmp(text, "\\x{", 3) != 0)
		return 0;
	for (; at < length && at < 9 && hex_digit(text[at]) != -1; at++)
		*code = *code << 4 | (uint32_t)hex_digit(text[at]);
	return at > 3 && at < length && text[at] == '}' ? at + 1 : 0;
}

/* Gives the length, 0 for what is no character. */
static size_t
write_utf8(uint32_t code, char bytes[4])
{
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 :
	    code < 0x10000 ? 3 : 4;

	if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	for (size_t i = length; i-- > 1; code >>= 6)
		bytes[i] = (char)(0x80 | (code & 0x3f));
	bytes[0] = (char)(length == 1 ? code : first[length] | code);
	return length;
}

int
smtp_utf8_xtext_decode(const char *text, size_t length, char *decoded,
    size_t size)
{
	size_t out = 0, at = 0;

	while (at < length) {
		uint32_t code = (unsigned char)text[at];
		size_t used = 1, width = 1;
		char bytes[4] = { text[at] };

		if (code == '\\') {
			used = read_code_point(text + at, length - at, &code);
			width = used == 0 ? 0 : write_utf8(code, bytes);
		}
		if (width == 0 || code < 0x20 || code == 0x7f ||
		    (used == 1 && (code == '+' || code == '=')) ||
		    out + width >= size)
			return -1;
		memcpy(decoded + out, bytes, width);
		out += width;
		at += used;
	}
	decoded[out] = '\0';
	return text_is_utf8(decoded, out) ? 0 : -1;
}

/* The character at p, which is one of UTF-8; *p moves behind it. */
static uint32_t
next_code_point(const unsigned char **p)
{
	uint32_t code = *(*p)++;

	if (code >= 0xc0)
		code &= code >= 0xf0 ? 0x07 : code >= 0xe0 ? 0x0f : 0x1f;
	while ((**p & 0xc0) == 0x80)
		code = code << 6 | (*(*p)++ & 0x3f);
	return code;
}

void
smtp_utf8_xtext_encode(struct text *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p != '\0') {
		uint32_t code = next_code_point(&p);

		if (code == '+' || code == '=' || code == '\\' ||
		    code <= ' ' || code >= 0x7f)
			text_printf(out, "\\x{%02X}", code);
		else
			text_putc(out, (char)code);
	}
}
