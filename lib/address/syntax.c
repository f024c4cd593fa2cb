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
