/* places - where things are, on earth and in networks of old: LOC, NSAP, ATMA */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "dns/internal.h"

/* Latitude, longitude, altitude, size and precision (RFC 1876) */

#define EQUATOR		((uint32_t)1 << 31)	/* and the prime meridian */
#define SEA_LEVEL	10000000		/* centimetres above the reference */
#define LOC_SIZE	16

static const struct direction {
	char	 positive, negative;
	unsigned most;
} latitude = { 'N', 'S', 90 }, longitude = { 'E', 'W', 180 };

/* Digits with so many decimals at most, a sign if it may have one, and "m" behind it if so. False: not of that form. */
static bool
parse_decimal(const struct dns_word *word, unsigned decimals, bool is_length,
    int64_t *value)
{
	const char *at = word->text, *end = at + word->length;
	bool negative = is_length && at < end && *at == '-', digits = false;
	int64_t number = 0;

	at += negative;
	for (; at < end && *at >= '0' && *at <= '9'; at++, digits = true)
		if (number < INT64_C(100000000000))
			number = number * 10 + *at - '0';
	if (at < end && *at == '.') {
		at++;
		for (; at < end && *at >= '0' && *at <= '9' && decimals > 0;
		    at++, decimals--, digits = true)
			number = number * 10 + *at - '0';
	}
	while (decimals-- > 0)
		number *= 10;
	if (is_length && at < end && *at == 'm')
		at++;
	*value = negative ? -number : number;
	return digits && at == end;
}

/* Degrees, perhaps minutes and seconds, and the direction. */
static int
put_angle(struct dns_rdata_writer *w, const struct dns_word *words,
    size_t count, const struct direction *direction)
{
	static const unsigned decimals[] = { 0, 0, 3 };
	int64_t parts[3] = { 0 };
	uint32_t value;
	char letter = '\0';

	for (unsigned i = 0; i < 4; i++, w->bad++) {
		const struct dns_word *word = &words[w->bad];

		w->why = "unexpected end of input";
		if (w->bad >= (int)count) {
			w->bad = -1;
			return -1;
		}
		letter = word->length == 1 ? word->text[0] & ~0x20 : '\0';
		if (i > 0 && (letter == direction->positive ||
		    letter == direction->negative))
			break;
		w->why = "syntax error";
		if (i == 3 || !parse_decimal(word, decimals[i], false,
		    &parts[i]))
			return -1;
		w->why = "out of range";
		if (parts[i] > (i == 0 ? direction->most : i == 1 ? 59 : 59999))
			return -1;
	}
	w->bad++;
	value = (parts[0] * 3600 + parts[1] * 60) * 1000 + parts[2];
	w->why = "out of range";
	if (value > direction->most * 3600000)
		return -1;
	value = letter == direction->positive ? EQUATOR + value :
	    EQUATOR - value;
	dns_be32_put(w->rdata + w->used, value);
	w->used += 4;
	return 0;
}

/* Centimetres as a digit and a power of ten. */
static uint8_t
pack_size(int64_t centimetres)
{
	unsigned power = 0;

	for (; centimetres >= 10; centimetres /= 10)
		power++;
	return centimetres << 4 | power;
}

static int
parse_location(struct dns_rdata_writer *w, const struct dns_word *words,
    size_t count)
{
	static const int64_t defaults[] = { 100, 1000000, 1000 };
	size_t start = w->used;
	int64_t altitude;

	if (DNS_RDATA_MAX - start < LOC_SIZE)
		return -1;
	w->rdata[start] = 0;
	w->used = start + 4;
	if (put_angle(w, words, count, &latitude) == -1 ||
	    put_angle(w, words, count, &longitude) == -1)
		return -1;
	w->why = "unexpected end of input";
	if (w->bad >= (int)count) {
		w->bad = -1;
		return -1;
	}
	w->why = "syntax error";
	if (!parse_decimal(&words[w->bad], 2, true, &altitude))
		return -1;
	w->why = "out of range";
	if (altitude < -SEA_LEVEL || altitude + SEA_LEVEL > UINT32_MAX)
		return -1;
	dns_be32_put(w->rdata + w->used, altitude + SEA_LEVEL);
	w->used += 4;
	w->bad++;
	for (unsigned i = 0; i < COUNT_OF(defaults); i++) {
		int64_t size = defaults[i];

		if (w->bad < (int)count) {
			w->why = "syntax error";
			if (!parse_decimal(&words[w->bad], 2, true, &size) ||
			    size < 0)
				return -1;
			w->why = "out of range";
			if (size > INT64_C(9000000000))
				return -1;
			w->bad++;
		}
		w->rdata[start + 1 + i] = pack_size(size);
	}
	w->why = "extra input text";
	return w->bad >= (int)count ? 0 : -1;
}

static bool
check_location(const uint8_t *at, size_t size)
{
	static const struct direction *const directions[] = { &latitude,
	    &longitude };

	if (size != LOC_SIZE || at[0] != 0)
		return false;
	for (int i = 1; i <= 3; i++)
		if (at[i] >> 4 > 9 || (at[i] & 15) > 9)
			return false;
	for (int i = 0; i < 2; i++) {
		uint32_t value = dns_be32(at + 4 + 4 * i);
		uint32_t angle = value > EQUATOR ? value - EQUATOR :
		    EQUATOR - value;

		if (angle > directions[i]->most * 3600000)
			return false;
	}
	return true;
}

static void
print_angle(uint32_t value, const struct direction *direction,
    struct text *to)
{
	uint32_t angle = value >= EQUATOR ? value - EQUATOR : EQUATOR - value;

	text_printf(to, "%" PRIu32 " %" PRIu32 " %" PRIu32 ".%03" PRIu32
	    " %c ", angle / 3600000, angle / 60000 % 60, angle / 1000 % 60,
	    angle % 1000, value >= EQUATOR ? direction->positive :
	    direction->negative);
}

static void
print_size(uint8_t packed, struct text *to)
{
	int64_t size = packed >> 4;

	for (unsigned power = packed & 15; power > 0; power--)
		size *= 10;
	if (size < 100)
		text_printf(to, " 0.%02" PRId64 "m", size);
	else
		text_printf(to, " %" PRId64 "m", size / 100);
}

static void
print_location(const uint8_t *at, size_t size, struct text *to)
{
	int64_t altitude = (int64_t)dns_be32(at + 12) - SEA_LEVEL;

	print_angle(dns_be32(at + 4), &latitude, to);
	print_angle(dns_be32(at + 8), &longitude, to);
	text_printf(to, "%s%" PRId64 ".%02" PRId64 "m", altitude < 0 ? "-" : "",
	    (altitude < 0 ? -altitude : altitude) / 100,
	    (altitude < 0 ? -altitude : altitude) % 100);
	for (int i = 1; i <= 3; i++)
		print_size(at[i], to);
}

/* Hexadecimal digits with dots between them as anybody likes (RFC 1706) */

static int
put_dotted_hex(struct dns_rdata_writer *w, const char *text, size_t length)
{
	char pair[2];
	unsigned digits = 0;

	for (size_t i = 0; i < length; i++) {
		uint8_t octet;

		if (text[i] == '.')
			continue;
		pair[digits++] = text[i];
		if (digits < 2)
			continue;
		w->why = "syntax error";
		if (dns_hex_decode(pair, 2, &octet) == -1 ||
		    dns_rdata_put(w, &octet, 1) == -1)
			return -1;
		digits = 0;
	}
	w->why = "unexpected end of input";
	return digits == 0 && length > 0 && text[length - 1] != '.' ? 0 : -1;
}

static int
parse_nsap(struct dns_rdata_writer *w, const struct dns_word *words,
    size_t count)
{
	w->why = "syntax error";
	if (count != 1 || words[0].length < 3 || words[0].text[0] != '0' ||
	    (words[0].text[1] | 0x20) != 'x')
		return -1;
	return put_dotted_hex(w, words[0].text + 2, words[0].length - 2);
}

static bool
check_nsap(const uint8_t *at, size_t size)
{
	return size > 0;
}

static void
print_lower_hex(const uint8_t *at, size_t size, struct text *to)
{
	for (size_t i = 0; i < size; i++)
		text_printf(to, "%02x", at[i]);
}

static void
print_nsap(const uint8_t *at, size_t size, struct text *to)
{
	text_puts(to, "0x");
	print_lower_hex(at, size, to);
}

/* An address of a network of cells: hexadecimal (0), or a number as by telephone (1) */

static int
parse_atma(struct dns_rdata_writer *w, const struct dns_word *words,
    size_t count)
{
	uint8_t format = count == 1 && words[0].length > 0 &&
	    words[0].text[0] == '+';

	w->why = "syntax error";
	if (count != 1 || words[0].length < 2 ||
	    dns_rdata_put(w, &format, 1) == -1)
		return -1;
	if (format == 0)
		return put_dotted_hex(w, words[0].text, words[0].length);
	for (size_t i = 1; i < words[0].length; i++)
		if (words[0].text[i] < '0' || words[0].text[i] > '9')
			return -1;
	return dns_rdata_put(w, words[0].text + 1, words[0].length - 1);
}

static bool
check_atma(const uint8_t *at, size_t size)
{
	if (size < 2 || at[0] > 1)
		return false;
	for (size_t i = 1; at[0] == 1 && i < size; i++)
		if (at[i] < '0' || at[i] > '9')
			return false;
	return true;
}

static void
print_atma(const uint8_t *at, size_t size, struct text *to)
{
	if (at[0] == 0) {
		print_lower_hex(at + 1, size - 1, to);
		return;
	}
	text_putc(to, '+');
	text_append(to, at + 1, size - 1);
}

const struct dns_form dns_forms_of_places[] = {
	{ 'L', parse_location, check_location, print_location },
	{ 'z', parse_nsap, check_nsap, print_nsap },
	{ 'm', parse_atma, check_atma, print_atma },
	{ '\0', NULL, NULL, NULL },
};
