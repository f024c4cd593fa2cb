/* What may stand in a local part and in a domain. */

#include "address/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "address/internal.h"

#define LABEL_MAX	63
#define HOSTNAME_MAX	255

bool
is_atext(unsigned char c)
{
	return isalnum(c) || c >= 0x80 ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

bool
is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

static bool
label_is_valid(const char *label, size_t length)
{
	if (length == 0 || length > LABEL_MAX)
		return false;
	if (label[0] == '-' || label[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = label[i];

		if (!isalnum(c) && c != '-' && c != '_' && c < 0x80)
			return false;
	}
	return true;
}

bool
hostname_is_valid(const char *name, size_t length)
{
	size_t start = 0;

	if (length == 0 || length > HOSTNAME_MAX)
		return false;
	for (size_t i = 0; i <= length; i++)
		if (i == length || name[i] == '.') {
			if (!label_is_valid(name + start, i - start))
				return false;
			start = i + 1;
		}
	for (size_t i = 0; i < length; i++)
		if (!isdigit((unsigned char)name[i]) && name[i] != '.')
			return text_is_utf8(name, length);
	return false;		/* all digits: an address without brackets */
}

bool
address_literal_is_valid(const char *text, size_t length)
{
	char inner[INET6_ADDRSTRLEN + sizeof("IPv6:")];
	unsigned char address[sizeof(struct in6_addr)];

	if (length < 3 || length - 2 >= sizeof(inner) ||
	    text[0] != '[' || text[length - 1] != ']')
		return false;
	if (memchr(text, '\0', length) != NULL)
		return false;
	memcpy(inner, text + 1, length - 2);
	inner[length - 2] = '\0';
	if (strncasecmp(inner, "IPv6:", 5) == 0)
		return inet_pton(AF_INET6, inner + 5, address) == 1;
	return inet_pton(AF_INET, inner, address) == 1;
}

bool
text_is_ascii(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

/* Bytes of the UTF-8 sequence that text begins with; 0 if it is none (RFC 3629 section 4). */
static size_t
utf8_sequence(const unsigned char *text, size_t length)
{
	static const struct {
		unsigned char first, last;	/* of the leading byte */
		unsigned char low, high;	/* of the second byte */
		size_t size;
	} forms[] = {
		{ 0x00, 0x7f, 0x00, 0x00, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },	/* no surrogates */
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (text[0] < forms[i].first || text[0] > forms[i].last)
			continue;
		if (forms[i].size == 1)
			return 1;
		if (length < forms[i].size || text[1] < forms[i].low ||
		    text[1] > forms[i].high)
			return 0;
		for (size_t at = 2; at < forms[i].size; at++)
			if ((text[at] & 0xc0) != 0x80)
				return 0;
		return forms[i].size;
	}
	return 0;
}

bool
text_is_utf8(const char *text, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t size = utf8_sequence((const unsigned char *)text + i,
		    length - i);

		if (size == 0)
			return false;
		i += size;
	}
	return true;
}
