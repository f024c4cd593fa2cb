/* words - the words of a master file into the octets of fields, by the letters of types.def */

#include <arpa/inet.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "dns/internal.h"
#include "dns/types.h"

int64_t
dns_ttl_parse(const char *text, size_t length)
{
	int64_t total = 0, number = 0;
	bool digits = false;

	for (size_t i = 0; i < length; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			number = number * 10 + text[i] - '0';
			if (number > UINT32_MAX)
				return -1;
			digits = true;
			continue;
		}

		static const struct { char unit; int seconds; } units[] = {
			{ 's', 1 }, { 'm', 60 }, { 'h', 3600 },
			{ 'd', 86400 }, { 'w', 604800 },
		};
		int seconds = 0;

		for (size_t u = 0; u < COUNT_OF(units); u++)
			if ((text[i] | 0x20) == units[u].unit)
				seconds = units[u].seconds;
		if (seconds == 0 || !digits)
			return -1;
		total += number * seconds;
		number = 0;
		digits = false;
		if (total > UINT32_MAX)
			return -1;
	}
	/* Digits after the last unit have none. */
	if (digits && total > 0)
		return -1;
	total += number;
	return length > 0 && total <= UINT32_MAX ? total : -1;
}

int64_t
dns_number_parse(const struct dns_word *word, int64_t most)
{
	int64_t value = 0;

	if (word->length == 0)
		return -1;
	for (size_t i = 0; i < word->length; i++) {
		char c = word->text[i];

		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + c - '0';
		if (value > most)
			return -1;
	}
	return value;
}

static int
put(struct dns_rdata_writer *w, const void *bytes, size_t length)
{
	if (DNS_RDATA_MAX - w->used < length) {
		w->why = "ran out of space";
		return -1;
	}
	memcpy(w->rdata + w->used, bytes, length);
	w->used += length;
	return 0;
}

int
dns_rdata_put(struct dns_rdata_writer *w, const void *bytes, size_t length)
{
	return put(w, bytes, length);
}

static int
put_number(struct dns_rdata_writer *w, int64_t value, int octets,
    const char *why)
{
	uint8_t bytes[4];

	if (value == -1) {
		w->why = why;
		return -1;
	}
	for (int i = 0; i < octets; i++)
		bytes[i] = value >> 8 * (octets - 1 - i) & 0xff;
	return put(w, bytes, octets);
}

int
dns_rdata_put_name(struct dns_rdata_writer *w, const struct dns_word *word)
{
	struct dns_name name;

	if (dns_name_parse(&name, word->text, word->length, w->origin,
	    &w->why) == -1)
		return -1;
	return put(w, name.bytes, name.length);
}

/* Four numbers without a zero before them, as inet_pton() has it, but for words. */
static bool
parse_quad(const struct dns_word *word, uint8_t address[4])
{
	const char *at = word->text, *end = at + word->length;

	for (int i = 0; i < 4; i++) {
		const char *start = at;
		unsigned value = 0;

		for (; at < end && *at >= '0' && *at <= '9'; at++) {
			value = value * 10 + (*at - '0');
			if (value > 255 || (*start == '0' && at > start))
				return false;
		}
		if (at == start || (i < 3 && (at == end || *at++ != '.')))
			return false;
		address[i] = value;
	}
	return at == end;
}

int
dns_address_parse(const struct dns_word *word, int family, uint8_t address[16],
    const char **why)
{
	char text[INET6_ADDRSTRLEN];

	*why = family == AF_INET ? "bad dotted quad" : "bad IPv6 address";
	if (family == AF_INET)
		return parse_quad(word, address) ? 0 : -1;
	if (word->length >= sizeof(text))
		return -1;
	memcpy(text, word->text, word->length);
	text[word->length] = '\0';
	return inet_pton(family, text, address) == 1 ? 0 : -1;
}

static int
put_address(struct dns_rdata_writer *w, const struct dns_word *word, int family)
{
	uint8_t address[16];

	if (dns_address_parse(word, family, address, &w->why) == -1)
		return -1;
	return put(w, address, family == AF_INET ? 4 : 16);
}

ssize_t
dns_text_unescape(const struct dns_word *word, uint8_t *to, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < word->length; i++) {
		unsigned c = (uint8_t)word->text[i];

		if (c == '\\') {
			const char *digits = word->text + i + 1;
			size_t left = word->length - i - 1;

			if (left == 0)
				return -1;
			c = (uint8_t)*digits;
			i++;
			if (c >= '0' && c <= '9') {
				struct dns_word number = { digits, 3, false };
				int64_t value = left < 3 ? -1 :
				    dns_number_parse(&number, 255);

				if (value == -1)
					return -1;
				c = value;
				i += 2;
			}
		}
		if (used == size)
			return -1;
		to[used++] = c;
	}
	return used;
}

static int
put_string(struct dns_rdata_writer *w, const struct dns_word *word)
{
	uint8_t string[256];
	ssize_t length = dns_text_unescape(word, string + 1, 255);

	if (length == -1) {
		w->why = "text longer than 255 octets, or a bad escape";
		return -1;
	}
	string[0] = length;
	return put(w, string, 1 + length);
}

static int
put_text(struct dns_rdata_writer *w, const struct dns_word *word)
{
	ssize_t length = dns_text_unescape(word, w->rdata + w->used,
	    DNS_RDATA_MAX - w->used);

	if (length == -1) {
		w->why = "syntax error";
		return -1;
	}
	w->used += length;
	return 0;
}

static int
put_tag(struct dns_rdata_writer *w, const struct dns_word *word)
{
	w->why = "syntax error";
	if (word->length == 0 || word->length > 255)
		return -1;
	for (size_t i = 0; i < word->length; i++) {
		char c = word->text[i];

		if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' &&
		    (c | 0x20) <= 'z')))
			return -1;
	}
	return put_string(w, word);
}

/* YYYYMMDDHHmmSS, or seconds since 1970 (RFC 4034 section 3.2). */
static int
put_date(struct dns_rdata_writer *w, const struct dns_word *word)
{
	struct tm tm = { 0 };
	char text[15];

	if (word->length != 14)
		return put_number(w, dns_number_parse(word, UINT32_MAX), 4,
		    "syntax error");
	memcpy(text, word->text, 14);
	text[14] = '\0';
	w->why = "syntax error";
	if (strspn(text, "0123456789") != 14 ||
	    sscanf(text, "%4d%2d%2d%2d%2d%2d", &tm.tm_year, &tm.tm_mon,
	    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return -1;
	w->why = "out of range";
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
	    tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
	    tm.tm_sec > 60)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return put_number(w, (uint32_t)timegm(&tm), 4, NULL);
}

static int
put_type(struct dns_rdata_writer *w, const struct dns_word *word)
{
	return put_number(w, dns_type_parse(word->text, word->length), 2,
	    "unknown class/type");
}

/*
 * EUI-48 and EUI-64: one or two hexadecimal digits each, hyphens between.
 * BIND reads no further than it must, and tells what is wrong at the end.
 */
static int
put_eui(struct dns_rdata_writer *w, const struct dns_word *word, size_t octets)
{
	const char *at = word->text, *end = at + word->length;
	uint8_t bytes[8];

	w->why = "bad EUI";
	w->bad = -1;
	for (size_t i = 0; i < octets; i++) {
		char pair[2] = { '0', '0' };
		size_t digits = 0;

		while (digits < 2 && at + digits < end &&
		    isxdigit((unsigned char)at[digits]))
			digits++;
		if (digits == 0)
			return -1;
		memcpy(pair + 2 - digits, at, digits);
		(void)dns_hex_decode(pair, 2, bytes + i);
		at += digits;
		if (i + 1 < octets && (at == end || *at++ != '-'))
			return -1;
	}
	w->bad = 0;
	return put(w, bytes, octets);
}

static int
put_groups(struct dns_rdata_writer *w, const struct dns_word *word)
{
	char text[24];
	unsigned group[4];
	int end = 0;

	w->why = "syntax error";
	if (word->length >= sizeof(text))
		return -1;
	memcpy(text, word->text, word->length);
	text[word->length] = '\0';
	if (sscanf(text, "%4x:%4x:%4x:%4x%n", &group[0], &group[1], &group[2],
	    &group[3], &end) != 4 || (size_t)end != word->length)
		return -1;
	for (int i = 0; i < 4; i++)
		if (put_number(w, group[i], 2, NULL) == -1)
			return -1;
	return 0;
}

static int
put_with_length(struct dns_rdata_writer *w, const struct dns_word *word,
    bool base32)
{
	uint8_t bytes[256];
	ssize_t length = 0;

	w->why = base32 ? "bad base32 encoding" : "bad hex encoding";
	if (word->length > 400)
		return -1;
	if (base32)
		length = dns_base32_decode(word->text, word->length, bytes + 1);
	else if (word->length != 1 || word->text[0] != '-')
		length = dns_hex_decode(word->text, word->length, bytes + 1);
	if (length == -1)
		return -1;
	bytes[0] = length;
	return put(w, bytes, 1 + length);
}

/* Hexadecimal or base64 that may be cut into any number of words. */
int
dns_words_encoded(struct dns_rdata_writer *w, const struct dns_word *words,
    size_t count, bool base64)
{
	struct text all = TEXT_EMPTY;
	ssize_t length = -1;

	for (size_t i = 0; i < count; i++)
		text_append(&all, words[i].text, words[i].length);
	if (all.length <= DNS_RDATA_MAX - w->used ||
	    (!base64 && all.length / 2 <= DNS_RDATA_MAX - w->used))
		length = base64 ?
		    dns_base64_decode(all.bytes, all.length, w->rdata + w->used) :
		    dns_hex_decode(all.bytes, all.length, w->rdata + w->used);
	text_clear(&all);
	if (length <= 0) {
		w->why = base64 ? "bad base64 encoding" : "bad hex encoding";
		return -1;
	}
	w->used += length;
	return 0;
}

int
dns_rdata_put_base64(struct dns_rdata_writer *w, const struct dns_word *words,
    size_t count)
{
	return dns_words_encoded(w, words, count, true);
}

int
dns_words_tail(struct dns_rdata_writer *w, char field, const struct dns_word *words,
    size_t count)
{
	const struct dns_form *form = dns_form_find(field);

	if (form != NULL)
		return form->parse(w, words, count);
	switch (field) {
	case 'o':
		if (count == 1 && words[0].length == 1 &&
		    words[0].text[0] == '-')
			return 0;
		return dns_words_encoded(w, words, count, true);
	case 'b':
		return count == 0 ? 0 : dns_words_encoded(w, words, count, true);
	case 'x':
	case 'B':
		return dns_words_encoded(w, words, count, field == 'B');
	case 'U':
	case 'M':
		return dns_bitmap_parse(w, words, count);
	case 'k':
		return dns_service_parse(w, words, count);
	case 'v':
	case 'V':
		if (count == 1 && (field == 'v' || words[0].quoted))
			return put_text(w, words);
		w->why = count > 1 ? "extra input text" : "syntax error";
		return -1;
	default:
		for (size_t i = 0; i < count; i++)
			if (put_string(w, &words[i]) == -1)
				return -1;
		return 0;
	}
}

static const char *
why_no_number(const struct dns_word *word)
{
	return dns_number_parse(word, INT64_MAX / 100) == -1 ?
	    "not a valid number" : "out of range";
}

/* At least four digits (RFC 1183 section 3.1). */
static int
put_digits(struct dns_rdata_writer *w, const struct dns_word *word)
{
	w->why = "out of range";
	for (size_t i = 0; i < word->length; i++)
		if (word->text[i] < '0' || word->text[i] > '9')
			return -1;
	w->why = "syntax error";
	return word->length >= 4 ? put_string(w, word) : -1;
}

int
dns_words_field(struct dns_rdata_writer *w, char field, const struct dns_word *word)
{
	int64_t value;

	switch (field) {
	case 'N':
	case 'n':
		return dns_rdata_put_name(w, word);
	case '1':
		return put_number(w, dns_number_parse(word, UINT8_MAX), 1,
		    why_no_number(word));
	case '2':
		return put_number(w, dns_number_parse(word, UINT16_MAX), 2,
		    why_no_number(word));
	case '4':
		return put_number(w, dns_number_parse(word, UINT32_MAX), 4,
		    why_no_number(word));
	case 'T':
		return put_number(w, dns_ttl_parse(word->text, word->length), 4,
		    "bad ttl");
	case 'a':
		return put_address(w, word, AF_INET);
	case '6':
		return put_address(w, word, AF_INET6);
	case 's':
		return put_string(w, word);
	case 'c':
		return put_tag(w, word);
	case 'D':
		return put_date(w, word);
	case 't':
		return put_type(w, word);
	case 'e':
		return put_eui(w, word, 6);
	case 'E':
		return put_eui(w, word, 8);
	case 'i':
		return put_groups(w, word);
	case 'q':
		return put_digits(w, word);
	case 'y':
	case 'f':
	case 'Y':
	case 'g':
	case 'd':
	case 'p':
		value = dns_mnemonic_parse(field, word, &w->why);
		return put_number(w, value, field == 'y' || field == 'f' ? 2 :
		    1, w->why);
	default:
		return put_with_length(w, word, field == 'H');
	}
}
