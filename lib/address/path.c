/* The path of MAIL and RCPT, and the two forms of an address. */

#include "address/address.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "address/internal.h"

void
build_put(struct address_build *build, char c)
{
	if (c == '\0')
		return;		/* in a header field: it would hide what follows */
	if (build->length < ADDRESS_MAX)
		build->bytes[build->length++] = c;
	else
		build->overflow = true;
}

/*
 * The end of the path that begins at text[start]: its '>', or without
 * brackets the first space. Quoted strings and quoted pairs are passed over.
 */
static size_t
path_end(const char *text, size_t length, size_t start, char stop)
{
	bool quoted = false;
	size_t at;

	for (at = start; at < length; at++) {
		if (text[at] == '\\' && at + 1 < length)
			at++;
		else if (text[at] == '"')
			quoted = !quoted;
		else if (text[at] == stop && !quoted)
			break;
	}
	return at < length ? at : length;
}

/* "a@@b" is no address, though "a@b"@c, without its quotes, is one. */
static bool
has_double_at(const char *text, size_t length)
{
	size_t at = path_end(text, length, 0, '@');

	while (at + 1 < length && text[at + 1] != '@')
		at = path_end(text, length, at + 1, '@');
	return at + 1 < length;
}

/* Where the mailbox begins behind a source route "@a,@b:". */
static size_t
route_length(const char *text, size_t length)
{
	if (length == 0 || text[0] != '@')
		return 0;

	const char *colon = memchr(text, ':', length);

	return colon == NULL ? 0 : (size_t)(colon + 1 - text);
}

/* Copy a local part without its quotes, up to its '@'. Bytes read, or -1 and *why. */
static ssize_t
take_localpart(const char *text, size_t length, struct address_build *build,
    const char **why)
{
	bool quoted = false;
	size_t last_at = length, at;

	for (at = 0; at < length; at++) {
		unsigned char c = text[at];

		if (c == '\\' && at + 1 < length)
			c = text[++at];
		else if (c == '"') {
			quoted = !quoted;
			continue;
		} else if (!quoted && c == '@')
			last_at = at;
		else if (!quoted && !is_atext(c) && c != '.') {
			if (last_at < at)
				break;		/* in the domain: judged there */
			*why = "special character in the local part";
			return -1;
		}
		if (is_control(c)) {
			*why = "control character";
			return -1;
		}
		build_put(build, c);
	}
	if (quoted) {
		*why = "missing quote";
		return -1;
	}
	/* "a@b@c": the domain is what follows the last '@' outside quotes. */
	build->length -= last_at < at ? at - last_at : 0;
	return last_at;
}

/* As only some servers take it: none at all, or an address without its brackets. */
static bool
domain_is_odd(const char *domain, size_t length)
{
	char literal[32];

	if (length == 0 || length > sizeof(literal) - 3)
		return length == 0;
	snprintf(literal, sizeof(literal), "[%.*s]", (int)length, domain);
	return address_literal_is_valid(literal, length + 2);
}

static bool
domain_is_valid(const char *domain, size_t length)
{
	if (length > 0 && domain[0] == '[')
		return address_literal_is_valid(domain, length);
	return hostname_is_valid(domain, length);
}

int
address_unquote(const char *text, size_t length, char address[ADDRESS_SIZE])
{
	const char *why;
	struct address_build build = { address, 0, false };

	if (length > 2 * ADDRESS_SIZE)
		return -1;

	ssize_t end = take_localpart(text, length, &build, &why);

	if (end == -1)
		return -1;
	for (size_t at = end; at < length; at++)
		build_put(&build, text[at]);
	address[build.length] = '\0';
	return build.overflow ? -1 : 0;
}

/* What stands between the brackets. 0, or -1 and *why. */
static int
take_mailbox(const char *text, size_t length, bool may_be_odd,
    char address[ADDRESS_SIZE], const char **why)
{
	size_t route = route_length(text, length);

	text += route;
	length -= route;
	*why = "address too long";
	if (length > 2 * ADDRESS_SIZE)		/* each byte may be quoted */
		return -1;

	struct address_build build = { address, 0, false };
	ssize_t end = take_localpart(text, length, &build, why);

	if (end == -1)
		return -1;
	if ((size_t)end < length) {
		const char *domain = text + end + 1;
		size_t domain_length = length - end - 1;

		if (domain_length > 0 && domain[domain_length - 1] == '.')
			domain_length--;
		if (!domain_is_valid(domain, domain_length) && !(may_be_odd &&
		    domain_is_odd(domain, domain_length))) {
			*why = "bad domain";
			return -1;
		}
		build_put(&build, '@');
		for (size_t i = 0; i < domain_length; i++)
			build_put(&build, domain[i]);
	}
	/* A lone "a@b" in quotes would read as a domain in the internal form. */
	*why = "'@' without a domain";
	if ((size_t)end == length &&
	    memchr(address, '@', build.length) != NULL)
		return -1;
	*why = "address too long";
	if (build.overflow)
		return -1;
	*why = "not UTF-8";
	if (!text_is_utf8(address, build.length))
		return -1;
	address[build.length] = '\0';
	return 0;
}

static ssize_t
take_path(const char *text, size_t length, bool may_be_odd,
    char address[ADDRESS_SIZE], const char **why)
{
	size_t start = 0;

	while (start < length && text[start] == ' ')
		start++;

	bool bracketed = start < length && text[start] == '<';
	size_t inner = bracketed ? start + 1 : start;
	size_t end = path_end(text, length, inner, bracketed ? '>' : ' ');

	*why = "missing '>'";
	if (bracketed && end == length)
		return -1;
	*why = "no address";
	if (!bracketed && end == inner)
		return -1;

	size_t after = bracketed ? end + 1 : end;

	/* "<<a@b>>" and "<a@b>>", as scripts write it. */
	if (bracketed && after < length && text[after] == '>') {
		inner += inner < end && text[inner] == '<';
		after++;
	}
	*why = "text after '>'";
	if (after < length && text[after] != ' ')
		return -1;
	while (inner < end && text[inner] == ' ')
		inner++;
	while (end > inner && text[end - 1] == ' ')
		end--;
	*why = "two @ in a row";
	if (has_double_at(text + inner, end - inner))
		return -1;
	if (take_mailbox(text + inner, end - inner, may_be_odd, address,
	    why) == -1)
		return -1;
	return after;
}

ssize_t
address_path_parse(const char *text, size_t length,
    char address[ADDRESS_SIZE], const char **why)
{
	return take_path(text, length, false, address, why);
}

ssize_t
address_path_parse_odd(const char *text, size_t length,
    char address[ADDRESS_SIZE], const char **why)
{
	return take_path(text, length, true, address, why);
}

const char *
address_domain(const char *address)
{
	const char *at = strrchr(address, '@');

	return at == NULL ? NULL : at + 1;
}

size_t
address_localpart_length(const char *address)
{
	const char *at = strrchr(address, '@');

	return at == NULL ? strlen(address) : (size_t)(at - address);
}

static bool
is_dot_string(const char *text, size_t length)
{
	if (length == 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (is_atext(text[i]))
			continue;
		if (text[i] != '.' || i == 0 || i == length - 1 ||
		    text[i - 1] == '.')
			return false;
	}
	return true;
}

void
address_quote(struct text *out, const char *address)
{
	size_t length = address_localpart_length(address);

	if (*address == '\0')
		return;
	if (is_dot_string(address, length)) {
		text_puts(out, address);
		return;
	}
	text_putc(out, '"');
	for (size_t i = 0; i < length; i++) {
		if (address[i] == '"' || address[i] == '\\')
			text_putc(out, '\\');
		text_putc(out, address[i]);
	}
	text_putc(out, '"');
	text_puts(out, address + length);
}

char *
address_external(char room[ADDRESS_EXTERNAL_SIZE], const char *address)
{
	struct text text = TEXT_EMPTY;

	if (is_dot_string(address, address_localpart_length(address))) {
		strlcpy(room, address, ADDRESS_EXTERNAL_SIZE);
		return room;
	}
	address_quote(&text, address);
	strlcpy(room, text_string(&text), ADDRESS_EXTERNAL_SIZE);
	text_clear(&text);
	return room;
}

static bool
is_system_name(const char *localpart, size_t length, bool dashes)
{
	static const char *const names[] = { "mailer-daemon", "double-bounce" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (length == strlen(names[i]) &&
		    strncasecmp(localpart, names[i], length) == 0)
			return true;
	if (!dashes)
		return false;
	return (length > 6 && strncasecmp(localpart, "owner-", 6) == 0) ||
	    (length > 8 &&
	    strncasecmp(localpart + length - 8, "-request", 8) == 0);
}

size_t
address_base_length(const char *localpart, size_t length,
    const char *delimiters)
{
	if (*delimiters == '\0' || is_system_name(localpart, length,
	    strchr(delimiters, '-') != NULL))
		return length;
	for (size_t i = 1; i < length; i++)
		if (localpart[i] != '\0' &&
		    strchr(delimiters, localpart[i]) != NULL)
			return i;
	return length;
}
