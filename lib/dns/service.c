/* service - the parameters of SVCB and HTTPS records (RFC 9460 section 2.1, appendix A) */

#include <arpa/inet.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "dns/internal.h"

#define PARAMETERS_MAX	64

/* m mandatory keys, l list of ids, n nothing, p port, a and 6 addresses, B base64, t text */
static const struct key {
	const char *name;
	char	 form;
} keys[] = {
	{ "mandatory", 'm' },
	{ "alpn", 'l' },
	{ "no-default-alpn", 'n' },
	{ "port", 'p' },
	{ "ipv4hint", 'a' },
	{ "ech", 'B' },
	{ "ipv6hint", '6' },
	{ "dohpath", 't' },
};

struct parameter {
	int	 key;
	const struct dns_word *word;
	size_t	 value;		/* where the value begins in the word */
};

static int
parse_key(const char *text, size_t length)
{
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (strlen(keys[i].name) == length &&
		    strncasecmp(text, keys[i].name, length) == 0)
			return i;
	if (length < 4 || length > 8 || strncasecmp(text, "key", 3) != 0)
		return -1;

	int number = 0;

	for (size_t i = 3; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + text[i] - '0';
	}
	/* No leading zeros: key00003 is none. */
	return number <= 65535 && (text[3] != '0' || length == 4) ? number : -1;
}

static int
compare_keys(const void *a, const void *b)
{
	return ((const struct parameter *)a)->key -
	    ((const struct parameter *)b)->key;
}

static int
put16(struct dns_rdata_writer *w, unsigned value)
{
	uint8_t octets[2] = { value >> 8, value & 0xff };

	return dns_rdata_put(w, octets, 2);
}

/* Mandatory keys stand in ascending order behind the length of their list, each once. */
static int
put_in_order(struct dns_rdata_writer *w, unsigned key)
{
	size_t at = w->used;

	if (put16(w, key) == -1)
		return -1;
	for (; at >= w->start + 2; at -= 2) {
		uint8_t *other = w->rdata + at - 2;
		unsigned before = other[0] << 8 | other[1];

		if (before == key)
			return -1;
		if (before < key)
			break;
		memcpy(other + 2, other, 2);
		other[0] = key >> 8;
		other[1] = key & 0xff;
	}
	return 0;
}

/* One element of a list separated by commas. */
static int
put_element(struct dns_rdata_writer *w, char form, char *element)
{
	uint8_t octets[16], length = strlen(element);
	int family = form == 'a' ? AF_INET : AF_INET6;
	int key;

	switch (form) {
	case 'm':
		key = parse_key(element, length);
		return key > 0 ? put_in_order(w, key) : -1;
	case 'l':
		if (length == 0 || strlen(element) > 255 ||
		    dns_rdata_put(w, &length, 1) == -1)
			return -1;
		return dns_rdata_put(w, element, length);
	default:
		if (inet_pton(family, element, octets) != 1)
			return -1;
		return dns_rdata_put(w, octets, family == AF_INET ? 4 : 16);
	}
}

/* Elements are separated by commas; one that belongs to an element has a backslash before it (appendix A.1). */
static int
put_list(struct dns_rdata_writer *w, char form, const char *list)
{
	char element[256];
	size_t used = 0;

	do {
		if (*list == '\0' || *list == ',') {
			element[used] = '\0';
			if (used == 0 || put_element(w, form, element) == -1)
				return -1;
			used = 0;
			continue;
		}
		if (*list == '\\' && *++list == '\0')
			return -1;
		if (used == sizeof(element) - 1)
			return -1;
		element[used++] = *list;
	} while (*list++ != '\0');
	return 0;
}

static int
put_value(struct dns_rdata_writer *w, const struct parameter *parameter)
{
	char form = parameter->key < (int)COUNT_OF(keys) ?
	    keys[parameter->key].form : 't';
	struct dns_word word = *parameter->word;
	char value[4096];
	const char *wrong;

	word.text += parameter->value;
	word.length -= parameter->value;

	ssize_t length = dns_text_unescape(&word, (uint8_t *)value,
	    sizeof(value) - 1);

	if (length == -1)
		return -1;
	value[length] = '\0';
	switch (form) {
	case 't':
		return dns_rdata_put(w, value, length);
	case 'n':
		return length == 0 ? 0 : -1;
	case 'p':
		length = strtonum(value, 0, 65535, &wrong);
		return wrong == NULL ? put16(w, length) : -1;
	case 'B':
		length = dns_base64_decode(value, length, (uint8_t *)value);
		return length > 0 ? dns_rdata_put(w, value, length) : -1;
	default:
		if (strlen(value) != (size_t)length)
			return -1;
		return put_list(w, form, value);
	}
}

/* key=value, or key="a value", which the scanner gave as two words. */
static size_t
read_parameters(struct parameter *to, const struct dns_word *words,
    size_t count, struct dns_word *joined)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		const char *equals = memchr(words[i].text, '=',
		    words[i].length);
		size_t key_length = equals != NULL ?
		    (size_t)(equals - words[i].text) : words[i].length;

		if (n == PARAMETERS_MAX)
			return 0;
		to[n].key = parse_key(words[i].text, key_length);
		if (to[n].key == -1)
			return 0;
		joined[n] = words[i];
		to[n].value = equals != NULL ? key_length + 1 : key_length;
		if (equals != NULL && key_length + 1 == words[i].length &&
		    i + 1 < count && words[i + 1].quoted) {
			joined[n] = words[++i];
			to[n].value = 0;
		}
		to[n].word = &joined[n];
		n++;
	}
	return n;
}

static void
print_key(unsigned key, struct text *to)
{
	if (key < COUNT_OF(keys) && keys[key].form != 't')
		text_puts(to, keys[key].name);
	else
		text_printf(to, "key%u", key);
}

/* The value of a key; NULL if it is not there. */
static const uint8_t *
find_value(const uint8_t *at, size_t size, int key, size_t *length)
{
	for (; size > 0; size -= 4 + *length, at += 4 + *length) {
		*length = at[2] << 8 | at[3];
		if ((at[0] << 8 | at[1]) == key)
			return at + 4;
	}
	return NULL;
}

/* What is mandatory is there, and who has no default protocol names one (sections 7.1.1 and 8). */
static bool
is_complete(const uint8_t *parameters, size_t size)
{
	size_t length, unused;
	const uint8_t *mandatory = find_value(parameters, size, 0, &length);

	for (size_t i = 0; mandatory != NULL && i + 1 < length; i += 2)
		if (find_value(parameters, size, mandatory[i] << 8 |
		    mandatory[i + 1], &unused) == NULL)
			return false;
	return find_value(parameters, size, 2, &unused) == NULL ||
	    find_value(parameters, size, 1, &unused) != NULL;
}

int
dns_service_parse(struct dns_rdata_writer *w, const struct dns_word *words,
    size_t count)
{
	size_t first = w->used;
	struct parameter parameters[PARAMETERS_MAX];
	struct dns_word joined[PARAMETERS_MAX];
	size_t n = read_parameters(parameters, words, count, joined);

	w->why = "syntax error";
	if (count > 0 && n == 0)
		return -1;
	qsort(parameters, n, sizeof(parameters[0]), compare_keys);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && parameters[i].key == parameters[i - 1].key) {
			w->why = "duplicate query";
			return -1;
		}
		if (put16(w, parameters[i].key) == -1 || put16(w, 0) == -1)
			return -1;

		size_t start = w->start = w->used;

		if (put_value(w, &parameters[i]) == -1) {
			w->why = "syntax error";
			return -1;
		}
		w->rdata[start - 2] = (w->used - start) >> 8;
		w->rdata[start - 1] = (w->used - start) & 0xff;
	}
	w->why = "disallowed (by application policy)";
	w->bad = -1;
	return is_complete(w->rdata + first, w->used - first) ? 0 : -1;
}

bool
dns_service_check(const uint8_t *parameters, size_t size)
{
	int last = -1;

	while (size > 0) {
		if (size < 4)
			return false;

		int key = parameters[0] << 8 | parameters[1];
		size_t length = parameters[2] << 8 | parameters[3];

		if (key <= last || size - 4 < length)
			return false;
		last = key;
		size -= 4 + length;
		parameters += 4 + length;
	}
	return true;
}

/* The elements of alpn. False: they are not whole. */
static bool
print_ids(const uint8_t *value, size_t length, struct text *to)
{
	const char *separator = "\"";

	while (length > 0) {
		size_t size = value[0];

		if (size == 0 || size >= length)
			return false;
		text_puts(to, separator);
		for (size_t i = 1; i <= size; i++) {
			if (value[i] == ',' || value[i] == '\\')
				text_puts(to, value[i] == ',' ? "\\\\" :
				    "\\\\\\");
			dns_character_print(value[i], to);
		}
		separator = ",";
		value += 1 + size;
		length -= 1 + size;
	}
	text_putc(to, '"');
	return true;
}

/* Keys or addresses, of so many octets each. */
static bool
print_list(char form, const uint8_t *value, size_t length, struct text *to)
{
	size_t size = form == 'm' ? 2 : form == 'a' ? 4 : 16;
	char text[INET6_ADDRSTRLEN];

	if (length == 0 || length % size != 0)
		return false;
	for (size_t i = 0; i < length; i += size) {
		if (i > 0)
			text_putc(to, ',');
		if (form == 'm')
			print_key(value[i] << 8 | value[i + 1], to);
		else
			text_puts(to, inet_ntop(form == 'a' ? AF_INET :
			    AF_INET6, value + i, text, sizeof(text)));
	}
	return true;
}

/* A value in the form of its key. False: it has none, and nothing that counts was written. */
static bool
print_value(char form, const uint8_t *value, size_t length, struct text *to)
{
	switch (form) {
	case 'n':
		return length == 0;
	case 'p':
		if (length != 2)
			return false;
		text_printf(to, "=%u", value[0] << 8 | value[1]);
		return true;
	case 'B':
		text_putc(to, '=');
		dns_base64_print(value, length, to);
		return length > 0;
	case 'l':
		text_putc(to, '=');
		return length > 0 && print_ids(value, length, to);
	case 't':
		return false;
	default:
		text_putc(to, '=');
		return print_list(form, value, length, to);
	}
}

void
dns_service_print(const uint8_t *parameters, size_t size, struct text *to)
{
	const char *separator = "";

	while (size > 0) {
		unsigned key = parameters[0] << 8 | parameters[1];
		size_t length = parameters[2] << 8 | parameters[3];
		size_t start;

		text_puts(to, separator);
		start = to->length;
		print_key(key, to);
		if (key >= COUNT_OF(keys) || !print_value(keys[key].form,
		    parameters + 4, length, to)) {
			/* The form that needs no knowledge of the key (RFC 9460 section 2.1). */
			text_truncate(to, start);
			text_printf(to, "key%u", key);
			if (length > 0)
				text_putc(to, '=');
			if (length > 0)
				dns_string_print(parameters + 4, length, to);
		}
		separator = " ";
		size -= 4 + length;
		parameters += 4 + length;
	}
}
