/*
 * wrap - long data on several lines, as BIND writes it for people
 *
 * The data comes as one line of words. The first `lead` of them stay on the
 * line of the owner, the next `middle` have a line of their own, what is
 * left is one long number or key, and is cut to lines of the same length.
 */

#include "zone/dump.h"

#include <string.h>

#define LINE_MAX_CHARACTERS	44
#define NEXT_LINE	"\n\t\t\t\t"

enum wrap_form {
	WRAP_BELOW,		/* lead ( | middle | long ) */
	WRAP_KEY,		/* the same, and what the key is */
	WRAP_BESIDE,		/* lead ( long ) */
	WRAP_ALL,		/* ( lead | long ) */
	WRAP_WORDS,		/* lead ( | middle | words ) */
	WRAP_LINES,		/* ( lead | word | word ) */
};

struct wrap {
	uint16_t type;		/* 0: all that have no form of their own */
	unsigned char lead, middle;
	enum wrap_form form;
};

static const struct wrap wraps[] = {
	{ DNS_TYPE_CDNSKEY, 3, 0, WRAP_KEY },
	{ DNS_TYPE_CDS, 3, 0, WRAP_BELOW },
	{ DNS_TYPE_CERT, 3, 0, WRAP_BELOW },
	{ DNS_TYPE_DHCID, 0, 0, WRAP_BESIDE },
	{ DNS_TYPE_DLV, 3, 0, WRAP_BELOW },
	{ DNS_TYPE_DNSKEY, 3, 0, WRAP_KEY },
	{ DNS_TYPE_DS, 3, 0, WRAP_BELOW },
	{ DNS_TYPE_EID, 0, 0, WRAP_BESIDE },
	{ DNS_TYPE_HIP, 2, 0, WRAP_LINES },
	{ DNS_TYPE_IPSECKEY, 4, 0, WRAP_ALL },
	{ DNS_TYPE_KEY, 3, 0, WRAP_KEY },
	{ DNS_TYPE_NIMLOC, 0, 0, WRAP_BESIDE },
	{ DNS_TYPE_NSEC3, 4, 1, WRAP_WORDS },
	{ DNS_TYPE_OPENPGPKEY, 0, 0, WRAP_BESIDE },
	{ DNS_TYPE_RKEY, 3, 0, WRAP_KEY },
	{ DNS_TYPE_RRSIG, 4, 4, WRAP_BELOW },
	{ DNS_TYPE_SIG, 4, 4, WRAP_BELOW },
	{ DNS_TYPE_SINK, 3, 0, WRAP_BELOW },
	{ DNS_TYPE_SMIMEA, 3, 0, WRAP_BELOW },
	{ DNS_TYPE_SSHFP, 2, 0, WRAP_BELOW },
	{ DNS_TYPE_TA, 3, 0, WRAP_BELOW },
	{ DNS_TYPE_TLSA, 3, 0, WRAP_BELOW },
	{ DNS_TYPE_ZONEMD, 3, 0, WRAP_BELOW },
	{ 0, 2, 0, WRAP_BESIDE },
};

static const struct wrap *
find(uint16_t type, const char *data)
{
	const struct wrap *wrap = wraps;

	while (wrap->type != 0 && wrap->type != type)
		wrap++;
	return wrap->type != 0 || strncmp(data, "\\# ", 3) == 0 ? wrap : NULL;
}

/* So many words; gives what follows. */
static const char *
put_words(const char *data, unsigned count, struct text *to)
{
	for (unsigned i = 0; i < count && *data != '\0'; i++) {
		size_t length = strcspn(data, " ");

		if (i > 0)
			text_putc(to, ' ');
		text_append(to, data, length);
		data += length;
		data += *data == ' ';
	}
	return data;
}

/* What is left, without its blanks. */
static void
put_long(const char *data, struct text *to)
{
	unsigned column = 0;

	for (; *data != '\0'; data++) {
		if (*data == ' ')
			continue;
		if (column == LINE_MAX_CHARACTERS) {
			text_puts(to, NEXT_LINE);
			column = 0;
		}
		text_putc(to, *data);
		column++;
	}
}

static void
put_lines(const char *data, struct text *to)
{
	while (*data != '\0') {
		data = put_words(data, 1, to);
		if (*data != '\0')
			text_puts(to, NEXT_LINE);
	}
}

bool
wrap_put(uint16_t type, const uint8_t *rdata, size_t length, const char *data,
    struct text *to)
{
	const struct wrap *wrap = find(type, data);
	struct text lead = TEXT_EMPTY;
	bool is_below;

	if (wrap == NULL)
		return false;
	is_below = wrap->form != WRAP_BESIDE;
	data = put_words(data, wrap->lead, &lead);
	if (*data == '\0') {		/* there is nothing that is long */
		text_append(to, lead.bytes, lead.length);
		text_clear(&lead);
		return true;
	}
	text_printf(to, wrap->form == WRAP_ALL || wrap->form == WRAP_LINES ? "( %s" : lead.length > 0 ?
	    "%s (" : "%s(", text_string(&lead));
	text_clear(&lead);
	text_puts(to, is_below ? NEXT_LINE : " ");
	if (wrap->middle > 0) {
		data = put_words(data, wrap->middle, to);
		text_puts(to, NEXT_LINE);
	}
	if (wrap->form == WRAP_WORDS)
		text_puts(to, data);
	else if (wrap->form == WRAP_LINES)
		put_lines(data, to);
	else
		put_long(data, to);
	if (wrap->form == WRAP_KEY) {
		text_puts(to, NEXT_LINE ")");
		dns_key_remark(type, rdata, length, to);
	} else
		text_puts(to, " )");
	if (type == DNS_TYPE_DHCID && length >= 3)
		text_printf(to, " ; %u %u %zu", rdata[0] << 8 | rdata[1],
		    rdata[2], length - 3);
	return true;
}
