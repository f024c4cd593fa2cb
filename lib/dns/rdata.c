#include "dns/rdata.h"

#include <string.h>

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
	static const bool tails[UINT8_MAX + 1] = {
		['S'] = true, ['M'] = true, ['U'] = true, ['k'] = true,
		['x'] = true, ['B'] = true, ['b'] = true, ['o'] = true,
		['v'] = true, ['V'] = true, ['?'] = true, ['P'] = true,
		['W'] = true, ['A'] = true, ['I'] = true, ['R'] = true,
		['h'] = true, ['L'] = true, ['z'] = true, ['m'] = true,
	};

	return tails[(uint8_t)field];
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

/* \# length hexadecimal... */
static int
parse_generic(struct dns_rdata_writer *w, uint16_t type,
    const struct dns_word *words, size_t count)
{
	int64_t length = count > 1 ? dns_number_parse(&words[1], DNS_RDATA_MAX) : -1;

	w->why = "syntax error";
	if (length == -1 || (length == 0) != (count == 2))
		return -1;
	if (length > 0 && dns_words_encoded(w, words + 2, count - 2, false) == -1)
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
			result = dns_words_tail(&w, *field, words + next,
			    count - next);
			*bad = w.bad == -1 || next + w.bad >= count ? -1 :
			    (int)next + w.bad;
			next = count;
		} else
			result = dns_words_field(&w, *field, &words[next++]);
		*why = w.why;
		if (w.bad == -1)
			*bad = -1;
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
