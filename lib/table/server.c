#include "table/server.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/* Cut at the first colon; [::1] is one piece. */
static char *
next_part(char **cursor)
{
	char *part = *cursor, *end = part;

	if (part == NULL)
		return NULL;
	if (*part == '[' && (end = strchr(part, ']')) != NULL) {
		part++;
		*end++ = '\0';
	} else if ((end = strchr(part, ':')) == NULL)
		end = part + strlen(part);
	*cursor = *end == ':' ? end + 1 : NULL;
	*end = '\0';
	return part;
}

int
table_server_parse(const char *name, struct table_server *server,
    const char **why)
{
	bool is_socketmap = text_starts_with(name, "socketmap:");
	char *copy = mem_strdup(strchr(name, ':') + 1), *cursor = copy;
	const char *kind = is_socketmap ? next_part(&cursor) : "inet";
	const char *host = next_part(&cursor), *port = NULL, *map = NULL;
	bool is_unix = strcmp(kind, "unix") == 0;
	int result = -1;

	if (!is_unix)
		port = next_part(&cursor);
	if (is_socketmap)
		map = cursor;
	if ((is_unix || strcmp(kind, "inet") == 0) && host != NULL &&
	    (is_unix || port != NULL) && (!is_socketmap || map != NULL)) {
		*server = (struct table_server){
			.is_socketmap = is_socketmap, .is_unix = is_unix,
			.host = mem_strdup(host),
			.port = port == NULL ? NULL : mem_strdup(port),
			.map = map == NULL ? NULL : mem_strdup(map),
		};
		result = 0;
	} else
		*why = is_socketmap ? "expected socketmap:inet:host:port:name "
		    "or socketmap:unix:path:name" : "expected tcp:host:port";
	free(copy);
	return result;
}

void
table_server_clear(struct table_server *server)
{
	free(server->host);
	free(server->port);
	free(server->map);
	*server = (struct table_server){ 0 };
}

/* "%20" for what would end the request. */
static void
put_quoted(struct text *to, const char *key)
{
	for (; *key != '\0'; key++) {
		unsigned char c = (unsigned char)*key;

		if (c <= ' ' || c == '%' || c >= 0x7f)
			text_printf(to, "%%%02X", c);
		else
			text_putc(to, (char)c);
	}
}

static int
digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0'
	    : (c | 0x20) - 'a' + 10;
}

static void
put_unquoted(struct text *to, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '%' && isxdigit((unsigned char)value[1]) &&
		    isxdigit((unsigned char)value[2])) {
			text_putc(to, (char)(digit(value[1]) << 4 |
			    digit(value[2])));
			value += 2;
		} else
			text_putc(to, *value);
	}
}

void
table_server_ask(const struct table_server *server, const char *key,
    struct text *to)
{
	if (server->is_socketmap) {
		text_printf(to, "%zu:%s %s,", strlen(server->map) + 1 +
		    strlen(key), server->map, key);
		return;
	}
	text_puts(to, "get ");
	put_quoted(to, key);
	text_putc(to, '\n');
}

/* Where the answer stands: 1, 0 if it is not whole, -1 if it is none. */

static int
find_line(const struct text *input, size_t *start, size_t *length)
{
	const char *end = input->length == 0 ? NULL
	    : memchr(input->bytes, '\n', input->length);

	*start = 0;
	*length = end == NULL ? 0 : (size_t)(end - input->bytes);
	return end != NULL;
}

/* "3:abc,". */
static int
find_netstring(const struct text *input, size_t *start, size_t *length)
{
	size_t at = 0;

	for (*length = 0; at < input->length && at < 7 &&
	    isdigit((unsigned char)input->bytes[at]); at++)
		*length = *length * 10 + (size_t)(input->bytes[at] - '0');
	*start = at + 1;
	if (at == input->length)
		return 0;
	if (at == 0 || input->bytes[at] != ':')
		return -1;
	return *start + *length < input->length;
}

static enum table_answer
refused(const char *said, struct text *text)
{
	text_printf(text, "the server says: %s", said);
	return TABLE_ERROR;
}

bool
table_server_hear(const struct table_server *server, const struct text *input,
    enum table_answer *answer, struct text *text)
{
	const char *found = server->is_socketmap ? "OK " : "200 ";
	const char *none = server->is_socketmap ? "NOTFOUND " : "500 ";
	size_t start, length;
	int is_there = server->is_socketmap ?
	    find_netstring(input, &start, &length) :
	    find_line(input, &start, &length);
	char *said;

	if (is_there == 0)
		return false;
	said = is_there == -1 ? mem_strndup(input->bytes, input->length) :
	    mem_strndup(input->bytes + start, length);
	if (is_there == 1 && text_starts_with(said, none))
		*answer = TABLE_NONE;
	else if (is_there == -1 || !text_starts_with(said, found))
		*answer = refused(said, text);
	else {
		*answer = TABLE_FOUND;
		if (server->is_socketmap)
			text_puts(text, said + strlen(found));
		else
			put_unquoted(text, said + strlen(found));
	}
	free(said);
	return true;
}
