/* location - whose mailbox is where, and which addresses are meant */

#include "authd/authd.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/* %u, %n, %d, %h, with a length in front (%1n) as Dovecot has it. NULL or what is wrong. */
static const char *
expand_variable(const char **cursor, const char *user, const char *home,
    struct text *path)
{
	const char *at = strchr(user, '@'), *p = *cursor + 1;
	size_t limit = 0, length;
	const char *value;

	while (*p >= '0' && *p <= '9' && limit < 1000)
		limit = limit * 10 + (size_t)(*p++ - '0');
	switch (*p) {
	case 'u':
		value = user;
		length = strlen(user);
		break;
	case 'n':
		value = user;
		length = at != NULL ? (size_t)(at - user) : strlen(user);
		break;
	case 'd':
		value = at != NULL ? at + 1 : "";
		length = strlen(value);
		break;
	case 'h':
		if (home == NULL)
			return "%h in mail_location, and the user has no home";
		value = home;
		length = strlen(home);
		break;
	case '%':
		value = "%";
		length = 1;
		break;
	default:
		return "an unknown % variable in mail_location; there are %u %n %d %h";
	}
	text_append(path, value, limit > 0 && limit < length ? limit : length);
	*cursor = p + 1;
	return NULL;
}

const char *
location_expand(const char *location, const char *user, const char *home,
    struct text *path)
{
	const char *p = location, *wrong = NULL;

	if (strncmp(p, "maildir:", 8) == 0)
		p += 8;
	else if (*p != '/' && *p != '~' && *p != '%')
		return "mail_location is not a Maildir; only maildir:PATH is served";
	if (*p == '~' && (p[1] == '/' || p[1] == '\0' || p[1] == ':')) {
		if (home == NULL)
			return "~ in mail_location, and the user has no home";
		text_puts(path, home);
		p++;
	}
	while (wrong == NULL && *p != '\0' && *p != ':') {
		if (*p == '%')
			wrong = expand_variable(&p, user, home, path);
		else
			text_putc(path, *p++);
	}
	if (wrong == NULL && text_string(path)[0] != '/')
		wrong = "mail_location does not lead to an absolute path";
	return wrong;
}

/* An address as 16 bytes, IPv4 mapped into IPv6; *mapped_bits is 96 for IPv4. */
static bool
parse_address(const char *text, unsigned char bytes[16], int *mapped_bits)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	*mapped_bits = 0;
	if (inet_pton(AF_INET6, text, bytes) == 1)
		return true;
	memcpy(bytes, mapped, sizeof(mapped));
	*mapped_bits = 96;
	return inet_pton(AF_INET, text, bytes + 12) == 1;
}

static bool
is_in_network(const unsigned char address[16], char *network)
{
	char *slash = strchr(network, '/');
	unsigned char bytes[16];
	const char *error = NULL;
	int base, bits = 128;

	if (slash != NULL)
		*slash = '\0';
	if (!parse_address(network, bytes, &base))
		return false;
	if (slash != NULL)
		bits = base + (int)strtonum(slash + 1, 0, 128 - base, &error);
	if (error != NULL)
		return false;
	for (int i = 0; i < bits; i++)
		if (((address[i / 8] ^ bytes[i / 8]) >> (7 - i % 8)) & 1)
			return false;
	return true;
}

bool
address_in_networks(const char *address, const char *networks)
{
	unsigned char bytes[16];
	int base;
	char *copy = mem_strdup(networks), *cursor = copy, *network;
	bool found = false;

	if (parse_address(address, bytes, &base))
		while (!found && (network = word_next(&cursor, ", ")) != NULL)
			found = is_in_network(bytes, network);
	free(copy);
	return found;
}
