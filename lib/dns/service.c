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
	return number < 65535 ? number : -1;
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
		return key > 0 ? put16(w, key) : -1;
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

static int
put_list(struct dns_rdata_writer *w, char form, char *list)
{
	char *element;

	if (*list == '\0')
		return -1;
	while ((element = strsep(&list, ",")) != NULL)
		if (put_element(w, form, element) == -1)
			return -1;
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

int
dns_service_parse(struct dns_rdata_writer *w, const struct dns_word *words,
    size_t count)
{
	struct parameter parameters[PARAMETERS_MAX];
	struct dns_word joined[PARAMETERS_MAX];
	size_t n = read_parameters(parameters, words, count, joined);

	w->why = "bad service parameters";
	if (count > 0 && n == 0)
		return -1;
	qsort(parameters, n, sizeof(parameters[0]), compare_keys);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && parameters[i].key == parameters[i - 1].key) {
			w->why = "a service parameter stands twice";
			return -1;
		}
		if (put16(w, parameters[i].key) == -1 || put16(w, 0) == -1)
			return -1;

		size_t start = w->used;

		if (put_value(w, &parameters[i]) == -1) {
			w->why = "bad value of a service parameter";
			return -1;
		}
		w->rdata[start - 2] = (w->used - start) >> 8;
		w->rdata[start - 1] = (w->used - start) & 0xff;
	}
	return 0;
}

/* The values' own forms are not looked into: they are printed from their octets. */
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

/* In the form keyNNNNN="..." that needs no knowledge of the key (RFC 9460 section 2.1). */
void
dns_service_print(const uint8_t *parameters, size_t size, struct text *to)
{
	const char *separator = "";

	while (size > 0) {
		size_t length = parameters[2] << 8 | parameters[3];

		text_printf(to, "%skey%u=\"", separator,
		    parameters[0] << 8 | parameters[1]);
		for (size_t i = 0; i < length; i++)
			text_printf(to, "\\%03u", parameters[4 + i]);
		text_putc(to, '"');
		separator = " ";
		size -= 4 + length;
		parameters += 4 + length;
	}
}
