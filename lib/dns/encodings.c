#include "dns/encodings.h"

#include <string.h>

static const char base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base32[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

static int
digit(const char *alphabet, char c)
{
	const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

	return at != NULL ? (int)(at - alphabet) : -1;
}

static int
hex_digit(char c)
{
	if (c >= 'a' && c <= 'f')
		c -= 'a' - 'A';
	return digit("0123456789ABCDEF", c);
}

ssize_t
dns_hex_decode(const char *text, size_t length, uint8_t *to)
{
	if (length % 2 != 0)
		return -1;
	for (size_t i = 0; i < length; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high == -1 || low == -1)
			return -1;
		*to++ = high << 4 | low;
	}
	return length / 2;
}

ssize_t
dns_base64_decode(const char *text, size_t length, uint8_t *to)
{
	uint8_t *start = to;
	size_t padding = 0;
	unsigned bits = 0;

	if (length % 4 != 0)
		return -1;
	while (padding < 2 && length > 0 && text[length - 1] == '=') {
		length--;
		padding++;
	}
	for (size_t i = 0; i < length; i++) {
		int value = digit(base64, text[i]);

		if (value == -1)
			return -1;
		bits = bits << 6 | value;
		if (i % 4 != 0)
			*to++ = bits >> (6 - i % 4 * 2) & 0xff;
	}
	return to - start;
}

ssize_t
dns_base32_decode(const char *text, size_t length, uint8_t *to)
{
	uint8_t *start = to;
	unsigned bits = 0;
	int held = 0;

	for (size_t i = 0; i < length; i++) {
		char c = text[i] >= 'a' && text[i] <= 'v' ?
		    text[i] - 'a' + 'A' : text[i];
		int value = digit(base32, c);

		if (value == -1)
			return -1;
		bits = bits << 5 | value;
		held += 5;
		if (held >= 8) {
			held -= 8;
			*to++ = bits >> held & 0xff;
		}
	}
	return to - start;
}

void
dns_base64_print(const uint8_t *bytes, size_t length, struct text *to)
{
	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		unsigned group = bytes[i] << 16 |
		    (left > 1 ? bytes[i + 1] << 8 : 0) |
		    (left > 2 ? bytes[i + 2] : 0);

		text_putc(to, base64[group >> 18]);
		text_putc(to, base64[group >> 12 & 63]);
		text_putc(to, left > 1 ? base64[group >> 6 & 63] : '=');
		text_putc(to, left > 2 ? base64[group & 63] : '=');
	}
}

void
dns_base32_print(const uint8_t *bytes, size_t length, struct text *to)
{
	unsigned bits = 0;
	int held = 0;

	for (size_t i = 0; i < length; i++) {
		bits = bits << 8 | bytes[i];
		for (held += 8; held >= 5; held -= 5)
			text_putc(to, base32[bits >> (held - 5) & 31]);
	}
	if (held > 0)
		text_putc(to, base32[bits << (5 - held) & 31]);
}
