/* print - the data of a record as text, by the field letters of types.def */

#include "dns/rdata.h"

#include <arpa/inet.h>

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "dns/internal.h"
#include "dns/types.h"

#define WORD_MAX	56	/* characters of hexadecimal or base64 in one word */

void
dns_character_print(uint8_t c, struct text *to)
{
	if (c < ' ' || c >= 0x7f)
		text_printf(to, "\\%03u", c);
	else {
		if (c == '"' || c == '\\')
			text_putc(to, '\\');
		text_putc(to, c);
	}
}

void
dns_string_print(const uint8_t *bytes, size_t length, struct text *to)
{
	text_putc(to, '"');
	for (size_t i = 0; i < length; i++)
		dns_character_print(bytes[i], to);
	text_putc(to, '"');
}

static void
print_strings(const uint8_t *rdata, size_t length, struct text *to)
{
	while (length > 0) {
		size_t size = 1 + (size_t)rdata[0];

		dns_string_print(rdata + 1, rdata[0], to);
		rdata += size;
		length -= size;
		if (length > 0)
			text_putc(to, ' ');
	}
}

static void
print_hex(const uint8_t *bytes, size_t length, struct text *to)
{
	for (size_t i = 0; i < length; i++)
		text_printf(to, "%02X", bytes[i]);
}

static void
print_date(uint32_t seconds, struct text *to)
{
	time_t when = seconds;
	struct tm tm;

	gmtime_r(&when, &tm);
	text_printf(to, "%04d%02d%02d%02d%02d%02d", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Hexadecimal or base64 in words of a length that people can compare. */
static void
print_in_words(bool base64, const uint8_t *bytes, size_t length,
    struct text *to)
{
	size_t most = base64 ? WORD_MAX / 4 * 3 : WORD_MAX / 2;

	for (size_t i = 0; i < length; i += most) {
		size_t part = length - i < most ? length - i : most;

		if (i > 0)
			text_putc(to, ' ');
		if (base64)
			dns_base64_print(bytes + i, part, to);
		else
			print_hex(bytes + i, part, to);
	}
}

/* Fields that reach to the end. */
static void
print_tail(char field, const uint8_t *rdata, size_t size, struct text *to)
{
	switch (field) {
	case 'S':
		print_strings(rdata, size, to);
		break;
	case 'v':
	case 'V':
		dns_string_print(rdata, size, to);
		break;
	case 'o':
		if (size == 0)
			text_putc(to, '-');
		dns_base64_print(rdata, size, to);
		break;
	case 'x':
	case 'b':
	case 'B':
		print_in_words(field != 'x', rdata, size, to);
		break;
	case 'U':
	case 'M':
		dns_bitmap_print(rdata, size, to);
		break;
	case 'k':
		dns_service_print(rdata, size, to);
		break;
	case '?':
		text_printf(to, size > 0 ? "\\# %zu " : "\\# %zu", size);
		print_in_words(false, rdata, size, to);
		break;
	default:
		dns_form_find(field)->print(rdata, size, to);
		break;
	}
}

/* Those that consist of numbers alone. False: another one. */
static bool
print_number(char field, const uint8_t *rdata, struct text *to)
{
	switch (field) {
	case '1':
	case 'g':
	case 'd':
	case 'p':
		text_printf(to, "%u", rdata[0]);
		return true;
	case 'Y':
		dns_mnemonic_print(field, rdata[0], to);
		return true;
	case 'y':
		dns_mnemonic_print(field, rdata[0] << 8 | rdata[1], to);
		return true;
	case '2':
	case 'f':
		text_printf(to, "%u", rdata[0] << 8 | rdata[1]);
		return true;
	case '4':
	case 'T':
		text_printf(to, "%" PRIu32, dns_be32(rdata));
		return true;
	case 'D':
		print_date(dns_be32(rdata), to);
		return true;
	default:
		return false;
	}
}

static void
print_field(char field, const uint8_t *rdata, size_t size, struct text *to)
{
	char name[DNS_NAME_TEXT];

	if (print_number(field, rdata, to))
		return;
	switch (field) {
	case 'N':
	case 'n':
		text_puts(to, dns_name_print(rdata, name));
		break;
	case 'a':
	case '6':
		text_puts(to, inet_ntop(field == 'a' ? AF_INET : AF_INET6,
		    rdata, name, sizeof(name)));
		break;
	case 't':
		text_puts(to, dns_type_print(rdata[0] << 8 | rdata[1], name));
		break;
	case 's':
	case 'q':
		dns_string_print(rdata + 1, rdata[0], to);
		break;
	case 'c':
		text_append(to, rdata + 1, rdata[0]);
		break;
	case 'X':
		if (rdata[0] == 0)
			text_putc(to, '-');
		print_hex(rdata + 1, rdata[0], to);
		break;
	case 'H':
		dns_base32_print(rdata + 1, rdata[0], to);
		break;
	case 'e':
	case 'E':
		for (size_t i = 0; i < size; i++)
			text_printf(to, "%s%02x", i > 0 ? "-" : "", rdata[i]);
		break;
	case 'i':
		text_printf(to, "%x:%x:%x:%x", rdata[0] << 8 | rdata[1],
		    rdata[2] << 8 | rdata[3], rdata[4] << 8 | rdata[5],
		    rdata[6] << 8 | rdata[7]);
		break;
	default:
		print_tail(field, rdata, size, to);
		break;
	}
}

void
dns_rdata_print(uint16_t type, const uint8_t *rdata, size_t length,
    struct text *to)
{
	const char *fields = dns_type_fields(type);

	for (const char *field = fields; *field != '\0'; field++) {
		size_t size = dns_field_size(*field, rdata, length);

		if (field > fields && (size > 0 || *field == 'o' ||
		    *field == 'v' || *field == 'V' || !dns_field_is_tail(*field)))
			text_putc(to, ' ');
		print_field(*field, rdata, size, to);
		rdata += size;
		length -= size;
	}
}
