/*
 * tcp: and socketmap: - tables that a server answers for
 *
 * The connection stays open. One that was open before and turns out to be
 * dead is made again, once. A server that did not answer in time is left alone
 * for a while: who has many questions waits for the first.
 */

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/base.h"
#include "table/internal.h"
#include "table/server.h"

struct remote {
	struct table_server server;
	int		 fd;		/* -1: not connected */
	int64_t		 rests_until_ms;
	struct text	 input;
};

static void
close_remote(struct table *table)
{
	struct remote *r = table->handle;

	fd_close(&r->fd);
	text_clear(&r->input);
	table_server_clear(&r->server);
	free(r);
}

static int
open_remote(struct table *table)
{
	struct remote *r = mem_zalloc(1, sizeof(*r));
	const char *why;

	r->fd = -1;
	if (table_server_parse(table->name, &r->server, &why) == 0) {
		table->handle = r;
		return 0;
	}
	text_puts(&table->why, why);
	free(r);
	return -1;
}

/* 0, or -1 with errno: what is not done within the time is ETIMEDOUT. */
static int
wait_for(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };
	int ready;

	while ((ready = poll(&p, 1, TABLE_SERVER_WAIT_MS)) == -1 && errno == EINTR)
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

	strlcpy(address.sun_path, r->server.host, sizeof(address.sun_path));
	r->fd = connect_to(AF_UNIX, (const struct sockaddr *)&address,
	    sizeof(address));
	return r->fd == -1 ? -1 : 0;
}

static int
connect_inet(struct remote *r, const char **why)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	int error = getaddrinfo(r->server.host, r->server.port, &hints, &list);

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

	if (r->input.length > TABLE_SERVER_REPLY_MAX) {
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

static int
connect_remote(struct remote *r, const char **why)
{
	if (r->fd != -1)
		return 0;
	return r->server.is_unix ? connect_unix(r) : connect_inet(r, why);
}

/* One question, one answer, over a connection that may be old. */
static enum table_answer
exchange(struct table *table, const struct text *request)
{
	struct remote *r = table->handle;
	enum table_answer answer = TABLE_ERROR;
	bool was_open = r->fd != -1;
	const char *why = NULL;

	while (connect_remote(r, &why) == 0) {
		struct text said = TEXT_EMPTY;
		int failed = say(r, request);

		text_truncate(&r->input, 0);
		while (failed == 0 && !table_server_hear(&r->server,
		    &r->input, &answer, &said))
			failed = hear(r);
		if (failed == 0)
			text_append(answer == TABLE_ERROR ? &table->why
			    : &table->value, text_string(&said), said.length);
		text_clear(&said);
		if (failed == 0)
			return answer;
		fd_close(&r->fd);
		if (!was_open || r->input.length > 0)
			break;
		was_open = false;
	}
	if (errno == ETIMEDOUT)
		r->rests_until_ms = clock_ms() + TABLE_SERVER_REST_MS;
	text_puts(&table->why, why != NULL ? why : strerror(errno));
	return TABLE_ERROR;
}

static enum table_answer
get_remote(struct table *table, const char *key)
{
	struct remote *r = table->handle;
	struct text request = TEXT_EMPTY;
	enum table_answer answer;

	if (clock_ms() < r->rests_until_ms) {
		text_puts(&table->why, "the server did not answer just now");
		return TABLE_ERROR;
	}
	table_server_ask(&r->server, key, &request);
	answer = exchange(table, &request);
	text_clear(&request);
	return answer;
}

const struct table_backend table_tcp = {
	.type = "tcp",
	.is_pattern = true,
	.keeps_case = true,
	.is_remote = true,
	.open = open_remote,
	.get = get_remote,
	.close = close_remote,
};

const struct table_backend table_socketmap = {
	.type = "socketmap",
	.is_pattern = true,
	.keeps_case = true,
	.is_remote = true,
	.open = open_remote,
	.get = get_remote,
	.close = close_remote,
};
