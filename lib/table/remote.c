/*
 * tcp: and socketmap: - tables that a server answers for
 *
 *	tcp:host:port			"get key" - "200 value", "500 no", "400 trouble"
 *	socketmap:inet:host:port:name	netstrings: "name key" - "OK value", "NOTFOUND "
 *	socketmap:unix:/path:name
 *
 * The connection stays open. One that was open before and turns out to be
 * dead is made again, once.
 */

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/base.h"
#include "table/internal.h"

#define WAIT_MS		10000	/* for a connection, and for an answer */
#define REPLY_LIMIT	100000

struct remote {
	int		 fd;		/* -1: not connected */
	bool		 is_unix;
	char		*host;		/* or a path */
	char		*port;
	char		*map;		/* of a socketmap */
	struct text	 input;
};

static void
close_remote(struct table *table)
{
	struct remote *r = table->handle;

	fd_close(&r->fd);
	text_clear(&r->input);
	free(r->host);
	free(r->port);
	free(r->map);
	free(r);
}

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

static int
open_remote(struct table *table, bool with_map)
{
	struct remote *r = mem_zalloc(1, sizeof(*r));
	char *copy = mem_strdup(table->path), *cursor = copy;
	const char *kind = with_map ? next_part(&cursor) : "inet";
	const char *host = next_part(&cursor), *port = NULL, *map = NULL;

	r->fd = -1;
	r->is_unix = strcmp(kind, "unix") == 0;
	if (!r->is_unix)
		port = next_part(&cursor);
	if (with_map)
		map = cursor;
	if ((r->is_unix || strcmp(kind, "inet") == 0) && host != NULL &&
	    (r->is_unix || port != NULL) && (!with_map || map != NULL)) {
		r->host = mem_strdup(host);
		r->port = port == NULL ? NULL : mem_strdup(port);
		r->map = map == NULL ? NULL : mem_strdup(map);
		table->handle = r;
		free(copy);
		return 0;
	}
	text_puts(&table->why, with_map
	    ? "expected socketmap:inet:host:port:name or "
	    "socketmap:unix:path:name" : "expected tcp:host:port");
	free(copy);
	free(r);
	return -1;
}

/* 0, or -1 with errno: what is not done within the time is ETIMEDOUT. */
static int
wait_for(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };
	int ready;

	while ((ready = poll(&p, 1, WAIT_MS)) == -1 && errno == EINTR)
		continue;
	if (ready == 0)
		errno = ETIMEDOUT;
	return ready > 0 ? 0 : -1;
}

static int
connect_to(int family, const struct sockaddr *address, socklen_t length)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = 0;
	socklen_t size = sizeof(error);

	if (fd == -1)
		return -1;
	if (connect(fd, address, length) == 0)
		return fd;
	if (errno == EINPROGRESS && wait_for(fd, POLLOUT) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0) {
		if (error == 0)
			return fd;
		errno = error;
	}
	fd_close(&fd);
	return -1;
}

static int
connect_unix(struct remote *r)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strlcpy(address.sun_path, r->host, sizeof(address.sun_path));
	r->fd = connect_to(AF_UNIX, (const struct sockaddr *)&address,
	    sizeof(address));
	return r->fd == -1 ? -1 : 0;
}

static int
connect_inet(struct remote *r, const char **why)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	int error = getaddrinfo(r->host, r->port, &hints, &list);

	if (error != 0) {
		*why = gai_strerror(error);
		return -1;
	}
	for (const struct addrinfo *a = list; a != NULL && r->fd == -1;
	    a = a->ai_next)
		r->fd = connect_to(a->ai_family, a->ai_addr, a->ai_addrlen);
	*why = strerror(errno);
	freeaddrinfo(list);
	return r->fd == -1 ? -1 : 0;
}

static int
say(struct remote *r, const struct text *request)
{
	size_t sent = 0;

	while (sent < request->length) {
		ssize_t n = send(r->fd, request->bytes + sent,
		    request->length - sent, MSG_NOSIGNAL);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno != EINTR &&
		    (errno != EAGAIN || wait_for(r->fd, POLLOUT) == -1))
			return -1;
	}
	return 0;
}

/* More of the answer. 0, or -1 with errno. */
static int
hear(struct remote *r)
{
	ssize_t n;

	if (r->input.length > REPLY_LIMIT) {
		errno = EMSGSIZE;
		return -1;
	}
	if (wait_for(r->fd, POLLIN) == -1)
		return -1;
	n = recv(r->fd, text_reserve(&r->input, 4096), 4096, 0);
	if (n > 0)
		r->input.length += (size_t)n;
	if (n == 0)
		errno = ECONNRESET;
	return n > 0 || (n == -1 && (errno == EINTR || errno == EAGAIN))
	    ? 0 : -1;
}

/* Is there a whole answer? Its text, and what of the input it takes; EBADMSG is no answer at all. */
typedef bool whole(const struct text *input, size_t *start, size_t *length);

static bool
whole_line(const struct text *input, size_t *start, size_t *length)
{
	const char *end = input->length == 0 ? NULL
	    : memchr(input->bytes, '\n', input->length);

	*start = 0;
	*length = end == NULL ? 0 : (size_t)(end - input->bytes);
	return end != NULL;
}

static bool
whole_netstring(const struct text *input, size_t *start, size_t *length)
{
	size_t at = 0;

	for (*length = 0; at < input->length && at < 7 &&
	    isdigit((unsigned char)input->bytes[at]); at++)
		*length = *length * 10 + (size_t)(input->bytes[at] - '0');
	*start = at + 1;
	return at < input->length && *start + *length < input->length;
}

/* One question, one answer, over a connection that may be old. */
static int
exchange(struct table *table, const struct text *request, whole *is_whole,
    struct text *answer)
{
	struct remote *r = table->handle;
	bool was_open = r->fd != -1;
	const char *why = NULL;
	size_t start, length;

	for (;;) {
		if (r->fd == -1 && (r->is_unix ? connect_unix(r)
		    : connect_inet(r, &why)) == -1)
			break;
		text_truncate(&r->input, 0);
		int failed = say(r, request);
		while (failed == 0 && !is_whole(&r->input, &start, &length))
			failed = hear(r);
		if (failed == 0) {
			text_append(answer, r->input.bytes + start, length);
			return 0;
		}
		fd_close(&r->fd);
		if (!was_open || r->input.length > 0)
			break;
		was_open = false;
	}
	text_printf(&table->why, "%s", why != NULL ? why : strerror(errno));
	return -1;
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

static enum table_answer
get_tcp(struct table *table, const char *key)
{
	struct text request = TEXT_EMPTY, answer = TEXT_EMPTY;
	enum table_answer result = TABLE_ERROR;
	const char *text;

	text_puts(&request, "get ");
	put_quoted(&request, key);
	text_putc(&request, '\n');
	if (exchange(table, &request, whole_line, &answer) == 0) {
		text = text_string(&answer);
		result = text_starts_with(text, "200 ") ? TABLE_FOUND
		    : text_starts_with(text, "500 ") ? TABLE_NONE : TABLE_ERROR;
		if (result == TABLE_FOUND)
			put_unquoted(&table->value, text + 4);
		else if (result == TABLE_ERROR)
			text_printf(&table->why, "the server says: %s", text);
	}
	text_clear(&request);
	text_clear(&answer);
	return result;
}

static enum table_answer
get_socketmap(struct table *table, const char *key)
{
	const struct remote *r = table->handle;
	struct text request = TEXT_EMPTY, answer = TEXT_EMPTY;
	enum table_answer result = TABLE_ERROR;
	const char *text;

	text_printf(&request, "%zu:%s %s,", strlen(r->map) + 1 + strlen(key),
	    r->map, key);
	if (exchange(table, &request, whole_netstring, &answer) == 0) {
		text = text_string(&answer);
		result = text_starts_with(text, "OK ") ? TABLE_FOUND
		    : text_starts_with(text, "NOTFOUND ") ? TABLE_NONE
		    : TABLE_ERROR;
		if (result == TABLE_FOUND)
			text_puts(&table->value, text + 3);
		else if (result == TABLE_ERROR)
			text_printf(&table->why, "the server says: %s", text);
	}
	text_clear(&request);
	text_clear(&answer);
	return result;
}

static int
open_tcp(struct table *table)
{
	return open_remote(table, false);
}

static int
open_socketmap(struct table *table)
{
	return open_remote(table, true);
}

const struct table_backend table_tcp = {
	.type = "tcp",
	.is_pattern = true,
	.keeps_case = true,
	.is_remote = true,
	.open = open_tcp,
	.get = get_tcp,
	.close = close_remote,
};

const struct table_backend table_socketmap = {
	.type = "socketmap",
	.is_pattern = true,
	.keeps_case = true,
	.is_remote = true,
	.open = open_socketmap,
	.get = get_socketmap,
	.close = close_remote,
};
