/*
 * Questions by TCP (RFC 7766). All questions that have arrived together are
 * answered together and written at once. A client that does not read its
 * answers is not read from; one that neither completes a question nor takes
 * an answer for tcp-idle-timeout is closed. When tcp-clients are there, the
 * one that was idle longest makes room.
 */

#include <sys/epoll.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "named-lite/answer.h"
#include "named-lite/internal.h"
#include "named-lite/respond.h"
#include "named-lite/transfer.h"

#define ACCEPTS_MAX	64
#define READ_SIZE	16384
#define WAITING_MAX	(128 * 1024)	/* octets of answers; then reading stops */

struct connection {
	struct source source;
	TAILQ_ENTRY(connection) link;
	struct server *server;
	struct sockaddr_in6 peer;
	struct text in;
	struct text out;
	struct transfer *transfer;	/* what is written now; NULL: nothing of that size */
	int64_t	 active_ms;
	bool	 waits_to_write;
	bool	 has_ended;		/* the client will send no more */
};

static void
end(struct connection *c)
{
	struct server *server = c->server;

	if (c->source.fd == -1)
		return;
	fd_close(&c->source.fd);
	text_clear(&c->in);
	text_clear(&c->out);
	transfer_end(&c->transfer);
	TAILQ_REMOVE(&server->connections, c, link);
	TAILQ_INSERT_TAIL(&server->buried, c, link);
	server->connection_count--;
}

void
tcp_bury(struct server *server)
{
	struct connection *c;

	while ((c = TAILQ_FIRST(&server->buried)) != NULL) {
		TAILQ_REMOVE(&server->buried, c, link);
		free(c);
	}
}

static void
note_activity(struct connection *c)
{
	c->active_ms = c->server->now_ms;
	TAILQ_REMOVE(&c->server->connections, c, link);
	TAILQ_INSERT_TAIL(&c->server->connections, c, link);
}

static void
watch(struct connection *c, int operation, bool write)
{
	struct epoll_event event = { write ? EPOLLOUT : EPOLLIN,
	    { .ptr = &c->source } };

	c->waits_to_write = write;
	epoll_ctl(c->server->epoll, operation, c->source.fd, &event);
}

/* Answer the whole questions in c->in, as long as there is room for answers. */
static void
answer_all(struct connection *c)
{
	static struct question question;
	static uint8_t answer[2 + DNS_MESSAGE_MAX];
	size_t used = 0;

	while (c->transfer == NULL && c->in.length - used >= 2 &&
	    c->out.length < WAITING_MAX) {
		const uint8_t *at = (const uint8_t *)c->in.bytes + used;
		size_t length = dns_get16(at), written;

		if (c->in.length - used - 2 < length)
			break;
		answer_read(&question, &c->server->image, at + 2, length);
		written = respond_concerns(&question) ?
		    respond_write(c->server, &question,
		    (const struct sockaddr *)&c->peer, &c->transfer,
		    answer + 2, DNS_MESSAGE_MAX) :
		    answer_write(&question, &c->server->image,
		    (const struct sockaddr *)&c->peer, true, answer + 2,
		    DNS_MESSAGE_MAX);
		used += 2 + length;
		if (written == 0)
			continue;
		dns_put16(answer, written);
		text_append(&c->out, answer, 2 + written);
	}
	if (used > 0)
		note_activity(c);
	text_drop(&c->in, used);
}

/* As much of a zone as there is room for. Questions behind it wait until it is over. False: the connection has ended. */
static bool
continue_transfer(struct connection *c)
{
	static uint8_t message[2 + DNS_MESSAGE_MAX];
	bool failed = false;

	while (c->transfer != NULL && c->out.length < WAITING_MAX) {
		size_t length = transfer_next(c->transfer, message + 2,
		    &failed);

		if (length == 0) {
			transfer_end(&c->transfer);
			break;
		}
		dns_put16(message, length);
		text_append(&c->out, message, 2 + length);
	}
	if (failed)
		end(c);
	return !failed;
}

/* Write what waits. False: the connection has ended. */
static bool
write_out(struct connection *c)
{
	ssize_t written;

	if (c->out.length == 0)
		return true;
	written = send(c->source.fd, c->out.bytes, c->out.length,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
	if (written == -1 && errno != EAGAIN && errno != EINTR) {
		end(c);
		return false;
	}
	if (written > 0) {
		text_drop(&c->out, written);
		note_activity(c);
	}
	return true;
}

/* Answer and write by turns until nothing is left or the client does not read. */
static void
advance(struct connection *c)
{
	size_t before;

	do {
		before = c->in.length;
		answer_all(c);
		if (!continue_transfer(c) || !write_out(c))
			return;
	} while (c->out.length == 0 && (c->in.length < before ||
	    c->transfer != NULL));

	if (c->out.length == 0 && c->has_ended) {
		end(c);
		return;
	}
	if (c->waits_to_write != (c->out.length > 0))
		watch(c, EPOLL_CTL_MOD, c->out.length > 0);
	if (c->in.length == 0)
		text_clear(&c->in);
	if (c->out.length == 0)
		text_clear(&c->out);
}

static void
on_connection(struct source *source, uint32_t events)
{
	struct connection *c = (struct connection *)source;
	ssize_t length;

	if (!c->waits_to_write) {
		length = recv(source->fd, text_reserve(&c->in, READ_SIZE),
		    READ_SIZE, MSG_DONTWAIT);
		if (length == -1) {
			if (errno != EAGAIN && errno != EINTR)
				end(c);
			return;
		}
		if (length == 0)
			c->has_ended = true;
		c->in.length += length;
	}
	advance(c);
}

static void
start(struct server *server, int fd, const struct sockaddr_in6 *peer)
{
	struct connection *c = mem_zalloc(1, sizeof(*c));

	c->source.fd = fd;
	c->source.on_event = on_connection;
	c->server = server;
	c->peer = *peer;
	c->active_ms = server->now_ms;
	TAILQ_INSERT_TAIL(&server->connections, c, link);
	server->connection_count++;
	watch(c, EPOLL_CTL_ADD, false);
}

void
tcp_accept(struct server *server, int listening)
{
	unsigned most = server->image.header->tcp_clients;

	for (int i = 0; i < ACCEPTS_MAX; i++) {
		struct sockaddr_in6 peer;
		socklen_t length = sizeof(peer);
		int fd = accept4(listening, (struct sockaddr *)&peer, &length,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd == -1 && (errno == EMFILE || errno == ENFILE) &&
		    !TAILQ_EMPTY(&server->connections)) {
			end(TAILQ_FIRST(&server->connections));
			continue;
		}
		if (fd == -1)
			return;
		if (server->connection_count >= most)
			end(TAILQ_FIRST(&server->connections));
		start(server, fd, &peer);
	}
}

int
tcp_expire(struct server *server)
{
	struct connection *c;
	int64_t now = clock_ms();

	while ((c = TAILQ_FIRST(&server->connections)) != NULL) {
		int64_t left = c->active_ms +
		    server->image.header->tcp_idle_ms - now;

		if (left > 0)
			return left;
		end(c);
	}
	tcp_bury(server);
	return -1;
}

void
tcp_stop(struct server *server)
{
	struct connection *c;

	while ((c = TAILQ_FIRST(&server->connections)) != NULL)
		end(c);
	tcp_bury(server);
}
