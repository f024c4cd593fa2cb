#include "dns/name.h"

#include <stdio.h>
#include <string.h>

#include "base/copy.h"

static inline uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The octet at *at, escaped or not; -1 if an escape is bad. Moves *at behind it. */
static int
read_octet(const char *text, size_t length, size_t *at)
{
	if (text[*at] != '\\')
		return (uint8_t)text[(*at)++];
	(*at)++;
	if (*at == length)
		return -1;
	if (!is_digit(text[*at]))
		return (uint8_t)text[(*at)++];
	if (length - *at < 3 || !is_digit(text[*at + 1]) ||
	    !is_digit(text[*at + 2]))
		return -1;

	int value = (text[*at] - '0') * 100 + (text[*at + 1] - '0') * 10 +
	    (text[*at + 2] - '0');

	*at += 3;
	return value <= 255 ? value : -1;
}

static int
append_origin(struct dns_name *name, size_t used, const struct dns_name *origin,
    const char **why)
{
	static const struct dns_name root = { 1, { 0 } };

	if (origin == NULL)
		origin = &root;
	if (used + origin->length > DNS_NAME_MAX) {
		*why = "name too long";
		return -1;
	}
	copy_few(name->bytes + used, origin->bytes, origin->length);
	name->length = used + origin->length;
	return 0;
}

/* Copy what is neither a dot nor an escape, at most so much: how much it was. */
static inline size_t
copy_plain(uint8_t *to, const char *from, size_t most)
{
	size_t count = 0;

	for (; count < most && from[count] != '.' && from[count] != '\\';
	    count++)
		to[count] = from[count];
	return count;
}

static inline size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

int
dns_name_parse(struct dns_name *name, const char *text, size_t length,
    const struct dns_name *origin, const char **why)
{
	size_t label = 0;	/* where the length octet of this label is */
	size_t used = 1;

	if (length == 1 && text[0] == '@')
		return append_origin(name, 0, origin, why);
	if (length == 1 && text[0] == '.')
		return append_origin(name, 0, NULL, why);
	*why = "empty label";
	if (length == 0)
		return -1;
	for (size_t at = 0; at < length; ) {
		size_t limit = least(label + 1 + DNS_LABEL_MAX,
		    DNS_NAME_MAX - 1);
		size_t plain = used >= limit ? 0 :
		    copy_plain(name->bytes + used, text + at,
		    least(length - at, limit - used));

		used += plain;
		at += plain;
		if (at == length)
			break;
		if (text[at] == '.') {
			if (used == label + 1)
				return -1;
			name->bytes[label] = used - label - 1;
			label = used++;
			if (++at == length)
				return append_origin(name, label, NULL, why);
			continue;
		}

		int octet = (uint8_t)text[at];

		if (octet != '\\')
			at++;
		else if ((octet = read_octet(text, length, &at)) == -1) {
			*why = "bad escape";
			return -1;
		}
		if (used - label > DNS_LABEL_MAX) {
			*why = "label too long";
			return -1;
		}
		if (used >= DNS_NAME_MAX - 1) {
			*why = "name too long";
			return -1;
		}
		name->bytes[used++] = octet;
	}
	name->bytes[label] = used - label - 1;
	return append_origin(name, used, origin, why);
}

/* Letters, digits and the hyphen: octets of hosts' names (RFC 952, 1123). */
static const bool host_octets[256] = {
	['-'] = 1,
	['0'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	['A'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	['a'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
};

size_t
dns_name_parse_host(struct dns_name *name, const char *text, size_t length,
    const struct dns_name *origin)
{
	size_t count = 0, most;

	if (origin->length >= DNS_NAME_MAX)
		return 0;
	most = least(length, least(DNS_LABEL_MAX,
	    DNS_NAME_MAX - 1 - origin->length));
	while (count < most && host_octets[(uint8_t)text[count]])
		count++;
	name->bytes[0] = count;
	name->length = 1 + count + origin->length;
	copy_few(name->bytes + 1, text, count);
	copy_few(name->bytes + 1 + count, origin->bytes, origin->length);
	return count;
}

char *
dns_name_print(const uint8_t *wire, char text[DNS_NAME_TEXT])
{
	char *to = text;

	if (*wire == 0)
		*to++ = '.';
	for (; *wire != 0; wire += *wire + 1) {
		for (unsigned i = 1; i <= *wire; i++) {
			uint8_t c = wire[i];

			if (host_octets[c])
				*to++ = c;
			else if (c <= ' ' || c >= 0x7f)
				to += snprintf(to, 5, "\\%03u", c);
			else {
				if (strchr(".;\\\"()@$", c) != NULL)
					*to++ = '\\';
				*to++ = c;
			}
		}
		*to++ = '.';
	}
	*to = '\0';
	return text;
}

char *
dns_name_show(const uint8_t *wire, char text[DNS_NAME_TEXT])
{
	dns_name_print(wire, text);
	if (*wire != 0)
		text[strlen(text) - 1] = '\0';
	return text;
}

bool
dns_name_unpack(struct dns_name *name, const uint8_t *message, size_t length,
    size_t *offset)
{
	size_t at = *offset, limit = *offset, used = 0;
	bool jumped = false;

	while (at < length) {
		uint8_t octet = message[at];

		if (octet >= 0xc0) {
			if (at + 1 >= length)
				return false;

			size_t target = (octet & 0x3f) << 8 | message[at + 1];

			if (!jumped)
				*offset = at + 2;
			jumped = true;
			if (target >= limit)
				return false;
			at = limit = target;
			continue;
		}
		if (octet > DNS_LABEL_MAX || length - at <= octet ||
		    used + octet + 1 > DNS_NAME_MAX)
			return false;
		memcpy(name->bytes + used, message + at, octet + 1);
		used += octet + 1;
		at += octet + 1;
		if (octet == 0) {
			if (!jumped)
				*offset = at;
			name->length = used;
			return true;
		}
	}
	return false;
}

size_t
dns_name_check(const uint8_t *wire, size_t size)
{
	if (size > DNS_NAME_MAX)
		size = DNS_NAME_MAX;
	for (size_t at = 0; at < size; at += wire[at] + 1) {
		if (wire[at] == 0)
			return at + 1;
		if (wire[at] > DNS_LABEL_MAX)
			return 0;
	}
	return 0;
}

size_t
dns_name_length(const uint8_t *wire)
{
	const uint8_t *at = wire;

	while (*at != 0)
		at += *at + 1;
	return at - wire + 1;
}

unsigned
dns_name_labels(const uint8_t *wire)
{
	unsigned labels = 0;

	for (; *wire != 0; wire += *wire + 1)
		labels++;
	return labels;
}

void
dns_name_copy(struct dns_name *name, const uint8_t *wire)
{
	name->length = dns_name_length(wire);
	memcpy(name->bytes, wire, name->length);
}

/*
 * Eight octets at a time: c - 'A' carries into the high bit for what is at
 * least 'A', c - '[' for what is above 'Z'; octets with their own high bit
 * set are left out.
 */
void
dns_name_lower(uint8_t *to, const uint8_t *from, size_t length)
{
	const uint64_t ones = 0x0101010101010101;

	for (; length >= 8; length -= 8, from += 8, to += 8) {
		uint64_t word;

		memcpy(&word, from, 8);

		uint64_t low = word & (0x7f * ones);
		uint64_t from_a = low + (0x80 - 'A') * ones;
		uint64_t past_z = low + (0x80 - 'Z' - 1) * ones;
		uint64_t is_capital = from_a & ~past_z & ~word & 0x80 * ones;

		word |= is_capital >> 2;
		memcpy(to, &word, 8);
	}
	while (length-- > 0)
		*to++ = lower(*from++);
}

static bool
octets_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

bool
dns_name_equal(const uint8_t *a, const uint8_t *b)
{
	size_t length = dns_name_length(a);

	return length == dns_name_length(b) && octets_equal(a, b, length);
}

/* Labels of a name, the last one first: gives how many. */
static unsigned
list_labels(const uint8_t *name, const uint8_t *labels[DNS_LABELS_MAX])
{
	unsigned count = dns_name_labels(name), at = count;

	for (; *name != 0; name += *name + 1)
		labels[--at] = name;
	return count;
}

static int
compare_labels(const uint8_t *a, const uint8_t *b)
{
	unsigned least = *a < *b ? *a : *b;

	for (unsigned i = 1; i <= least; i++)
		if (lower(a[i]) != lower(b[i]))
			return lower(a[i]) - lower(b[i]);
	return *a - *b;
}

int
dns_name_compare(const uint8_t *a, const uint8_t *b)
{
	const uint8_t *as[DNS_LABELS_MAX], *bs[DNS_LABELS_MAX];
	unsigned a_count = list_labels(a, as), b_count = list_labels(b, bs);

	for (unsigned i = 0; i < a_count && i < b_count; i++) {
		int order = compare_labels(as[i], bs[i]);

		if (order != 0)
			return order;
	}
	return (int)a_count - (int)b_count;
}

bool
dns_name_within(const uint8_t *name, const uint8_t *zone)
{
	size_t length = dns_name_length(name);
	size_t zone_length = dns_name_length(zone);

	while (length > zone_length) {
		length -= *name + 1;
		name += *name + 1;
	}
	return length == zone_length && octets_equal(name, zone, length);
}

static bool
is_host_label(const uint8_t *label, unsigned length)
{
	for (unsigned i = 0; i < length; i++)
		if (!host_octets[label[i]])
			return false;
	return label[0] != '-' && label[length - 1] != '-';
}

bool
dns_name_is_host(const uint8_t *wire)
{
	if (wire[0] == 1 && wire[1] == '*')
		wire += 2;
	for (; *wire != 0; wire += *wire + 1)
		if (!is_host_label(wire + 1, *wire))
			return false;
	return true;
}
