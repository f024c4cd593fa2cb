#include "dns/rdata.h"

#include <arpa/inet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "dns/internal.h"
#include "dns/types.h"

/* How the fields that are numbers, addresses or names say their size. */
size_t
dns_field_size(char field, const uint8_t *rdata, size_t size)
{
	size_t length;

	switch (field) {
	case 'N':
	case 'n':
		length = dns_name_check(rdata, size);
		break;
	case '1':
	case 'Y':
	case 'g':
	case 'd':
	case 'p':
		length = 1;
		break;
	case '2':
	case 't':
	case 'y':
	case 'f':
		length = 2;
		break;
	case '4':
	case 'T':
	case 'D':
	case 'a':
		length = 4;
		break;
	case 'e':
		length = 6;
		break;
	case 'E':
	case 'i':
		length = 8;
		break;
	case '6':
		length = 16;
		break;
	case 's':
	case 'X':
	case 'H':
	case 'c':
	case 'q':
		length = size > 0 ? 1 + (size_t)rdata[0] : 1;
		break;
	default:
		length = size;
		break;
	}
	return length <= size ? length : 0;
}

/* What a field that reaches to the end must consist of. */
static bool
is_tail_valid(char field, const uint8_t *rdata, size_t size)
{
	const struct dns_form *form;

	switch (field) {
	case 'S':
		if (size == 0)
			return false;
		while (size > 0) {
			size_t length = 1 + (size_t)rdata[0];

			if (length > size)
				return false;
			rdata += length;
			size -= length;
		}
		return true;
	case 'U':
		return size > 0 && dns_bitmap_check(rdata, size);
	case 'M':
		return dns_bitmap_check(rdata, size);
	case 'k':
		return dns_service_check(rdata, size);
	case 'x':
	case 'B':
		return size > 0;
	default:
		form = dns_form_find(field);
		return form == NULL || form->check(rdata, size);
	}
}

const struct dns_form *
dns_form_find(char field)
{
	static const struct dns_form *const tables[] = { dns_forms_of_gateways,
	    dns_forms_of_places };

	for (size_t i = 0; i < COUNT_OF(tables); i++)
		for (const struct dns_form *form = tables[i];
		    form->field != '\0'; form++)
			if (form->field == field)
				return form;
	return NULL;
}

bool
dns_field_is_tail(char field)
{
	return strchr("SMUkxBbov?PWAIRhLzm", field) != NULL;
}

/* Digests that are known by number have their length. */
static const struct {
	uint16_t type;
	uint8_t	 at;		/* where the kind stands; the digest is right behind it */
	uint8_t	 kind;
	uint8_t	 length;
} digests[] = {
	{ DNS_TYPE_DS, 3, 1, 20 }, { DNS_TYPE_DS, 3, 2, 32 },
	{ DNS_TYPE_DS, 3, 3, 32 }, { DNS_TYPE_DS, 3, 4, 48 },
	{ DNS_TYPE_SSHFP, 1, 1, 20 }, { DNS_TYPE_SSHFP, 1, 2, 32 },
	{ DNS_TYPE_ZONEMD, 5, 1, 48 }, { DNS_TYPE_ZONEMD, 5, 2, 64 },
};

/* Less than 0, 0, or more: the digest is too short, right, too long. */
static int
compare_digest(uint16_t type, const uint8_t *rdata, size_t length)
{
	if (type == DNS_TYPE_CDS || type == DNS_TYPE_DLV || type == DNS_TYPE_TA)
		type = DNS_TYPE_DS;
	for (size_t i = 0; i < COUNT_OF(digests); i++)
		if (digests[i].type == type && length > digests[i].at &&
		    rdata[digests[i].at] == digests[i].kind)
			return (int)length - (digests[i].at + 1 +
			    digests[i].length);
	if (type == DNS_TYPE_ZONEMD && length < 6 + 12)
		return -1;
	return 0;
}

bool
dns_rdata_check(uint16_t type, const uint8_t *rdata, size_t length)
{
	if (compare_digest(type, rdata, length) != 0)
		return false;
	for (const char *field = dns_type_fields(type); *field; field++) {
		if (dns_field_is_tail(*field))
			return is_tail_valid(*field, rdata, length);

		size_t size = dns_field_size(*field, rdata, length);

		if (size == 0 || (*field == 'c' && size == 1))
			return false;
		rdata += size;
		length -= size;
	}
	return length == 0;
}

/* Reading words */

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

int
dns_address_parse(const struct dns_word *word, int family, uint8_t address[16],
    const char **why)
{
	char text[INET6_ADDRSTRLEN];

	*why = family == AF_INET ? "bad dotted quad" : "bad IPv6 address";
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

/* EUI-48 and EUI-64: pairs of hexadecimal digits with hyphens. */
static int
put_eui(struct dns_rdata_writer *w, const struct dns_word *word, size_t octets)
{
	uint8_t bytes[8];

	w->why = "syntax error";
	if (word->length != octets * 3 - 1)
		return -1;
	for (size_t i = 0; i < octets; i++) {
		const char *pair = word->text + 3 * i;

		if (dns_hex_decode(pair, 2, bytes + i) != 1 ||
		    (i + 1 < octets && pair[2] != '-'))
			return -1;
	}
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
static int
put_encoded(struct dns_rdata_writer *w, const struct dns_word *words,
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
	return put_encoded(w, words, count, true);
}

static int
put_tail(struct dns_rdata_writer *w, char field, const struct dns_word *words,
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
		return put_encoded(w, words, count, true);
	case 'b':
		return count == 0 ? 0 : put_encoded(w, words, count, true);
	case 'x':
	case 'B':
		return put_encoded(w, words, count, field == 'B');
	case 'U':
	case 'M':
		return dns_bitmap_parse(w, words, count);
	case 'k':
		return dns_service_parse(w, words, count);
	case 'v':
		if (count == 1)
			return put_text(w, words);
		w->why = "extra input text";
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

static int
put_field(struct dns_rdata_writer *w, char field, const struct dns_word *word)
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

/* \# length hexadecimal... */
static int
parse_generic(struct dns_rdata_writer *w, uint16_t type,
    const struct dns_word *words, size_t count)
{
	int64_t length = count > 1 ? dns_number_parse(&words[1], DNS_RDATA_MAX) : -1;

	w->why = "syntax error";
	if (length == -1 || (length == 0) != (count == 2))
		return -1;
	if (length > 0 && put_encoded(w, words + 2, count - 2, false) == -1)
		return -1;
	w->why = "unexpected end of input";
	if (w->used != (size_t)length)
		return -1;
	w->why = "FORMERR";
	return dns_rdata_check(type, w->rdata, w->used) ? (int)w->used : -1;
}

int
dns_rdata_parse(uint16_t type, const struct dns_word *words, size_t count,
    const struct dns_name *origin, uint8_t rdata[DNS_RDATA_MAX],
    const char **why, int *bad)
{
	struct dns_rdata_writer w = { .rdata = rdata, .origin = origin };
	int result = -1;
	size_t next = 0;

	*bad = -1;
	if (count > 0 && !words[0].quoted && words[0].length == 2 &&
	    memcmp(words[0].text, "\\#", 2) == 0) {
		result = parse_generic(&w, type, words, count);
		*why = w.why;
		return result;
	}
	for (const char *field = dns_type_fields(type); *field; field++) {
		*why = "unknown class/type";
		*bad = next < count ? (int)next : -1;
		if (*field == '?')
			return -1;
		*why = "unexpected end of input";
		if (next == count && strchr("MbkP", *field) == NULL)
			return -1;
		w.bad = 0;
		if (dns_field_is_tail(*field)) {
			result = put_tail(&w, *field, words + next,
			    count - next);
			*bad = w.bad == -1 || next + w.bad >= count ? -1 :
			    (int)next + w.bad;
			next = count;
		} else
			result = put_field(&w, *field, &words[next++]);
		*why = w.why;
		if (result == -1)
			return -1;
	}
	*bad = next < count ? (int)next : -1;
	*why = "extra input text";
	if (next < count)
		return -1;
	result = compare_digest(type, rdata, w.used);
	if (result < 0)
		*why = "unexpected end of input";
	return result == 0 ? (int)w.used : -1;
}
