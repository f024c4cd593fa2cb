/*
 * Who may stay connected. tcp-clients is for all processes together. One
 * client has at most half of the places; when it wants more, its connection
 * that was idle longest makes room. When all places are taken, somebody who
 * has not asked yet goes before one who does not read his answers, that one
 * before one who has asked, and he before one who asked to stay (RFC 7828),
 * each time the one that was idle longest. But whoever did something just now
 * stays as long as others did not: else a flood would push out a good client
 * between his connection and his question.
 */

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "named-lite/answerer/tcp.h"
#include "named-lite/counters.h"

#define ACCEPTS_MAX	16	/* before those who are there have their turn */
#define GRACE_MS	100
#define CLIENTS		4096	/* counts of connections, by address */
#define PLACES_MIN	4	/* of a client */

static unsigned counts[CLIENTS];

static unsigned *
count_of(const struct connection *c)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)&c->peer;
	uint64_t words[2] = { 0, 0 };

	if (four->sin_family == AF_INET)
		memcpy(words, &four->sin_addr, 4);
	else
		memcpy(words, &c->peer.sin6_addr, 16);
	words[0] = (words[0] ^ words[1] * 31) * 0x9e3779b97f4a7c15;
	return &counts[words[0] >> 52];
}

void
crowd_enter(struct connection *c, enum crowd crowd)
{
	c->crowd = crowd;
	c->active_ms = c->server->now_ms;
	c->taken = 0;
	TAILQ_INSERT_TAIL(&c->server->crowds[crowd], c, link);
	c->server->connection_count++;
	(*count_of(c))++;
}

void
crowd_leave(struct connection *c)
{
	TAILQ_REMOVE(&c->server->crowds[c->crowd], c, link);
	c->server->connection_count--;
	(*count_of(c))--;
}

void
crowd_note(struct connection *c, enum crowd crowd)
{
	if (c->crowd == crowd && c->active_ms == c->server->now_ms &&
	    c->taken == 0)
		return;
	crowd_leave(c);
	crowd_enter(c, crowd);
}

/* Of all, or of those who share a count, the first that was idle since then. */
static struct connection *
find_idle(struct server *server, const unsigned *count, int64_t since_ms)
{
	struct connection *c;

	for (int i = 0; i < CROWDS; i++) {
		TAILQ_FOREACH(c, &server->crowds[i], link) {
			if (c->active_ms > since_ms)
				break;
			if (count == NULL || count_of(c) == count)
				return c;
		}
	}
	return NULL;
}

/* The one to go first. */
static struct connection *
find_least(struct server *server, const unsigned *count)
{
	struct connection *c = find_idle(server, count,
	    server->now_ms - GRACE_MS);

	return c != NULL ? c : find_idle(server, count, INT64_MAX);
}

/* End what is in the way of a newcomer, who has his place already. */
static void
make_room(struct server *server, struct connection *newcomer)
{
	unsigned all = server->image.header->tcp_clients;
	unsigned most = (all + server->processes - 1) / server->processes;
	unsigned own = most / 2 > PLACES_MIN ? most / 2 : PLACES_MIN;
	const unsigned *count = count_of(newcomer);

	if (*count > own)
		tcp_end(find_least(server, count));
	else if (server->connection_count > most)
		tcp_end(find_least(server, NULL));
}

static void
start(struct server *server, int fd, const struct sockaddr_in6 *peer)
{
	struct connection *c = mem_zalloc(1, sizeof(*c));
	socklen_t length = sizeof(c->local);

	c->source.fd = fd;
	c->server = server;
	c->peer = *peer;
	(void)getsockname(fd, (struct sockaddr *)&c->local, &length);
	counters_note_client(1);
	crowd_enter(c, CROWD_NEW);
	make_room(server, c);
	if (c->source.fd != -1)
		tcp_start(c);
}

void
tcp_accept(struct server *server, int listening)
{
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		struct sockaddr_in6 peer = { 0 };
		socklen_t length = sizeof(peer);
		int fd = accept4(listening, (struct sockaddr *)&peer, &length,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd == -1 && (errno == EMFILE || errno == ENFILE) &&
		    server->connection_count > 0) {
			tcp_end(find_least(server, NULL));
			continue;
		}
		if (fd == -1 && errno == ECONNABORTED)
			continue;
		if (fd == -1)
			return;
		start(server, fd, &peer);
	}
}

/* How long one of that crowd may do nothing. */
static int64_t
patience(const struct image_header *header, enum crowd crowd)
{
	switch (crowd) {
	case CROWD_NEW:
		return header->tcp_initial_ms;
	case CROWD_KEPT:
		return header->tcp_keepalive_ms;
	default:
		return header->tcp_idle_ms;
	}
}

int
tcp_expire(struct server *server)
{
	int64_t now = clock_ms(), least = -1;

	for (int i = 0; i < CROWDS; i++) {
		struct connection *c;

		while ((c = TAILQ_FIRST(&server->crowds[i])) != NULL) {
			int64_t left = c->active_ms +
			    patience(server->image.header, i) - now;

			if (left > 0) {
				if (least == -1 || left < least)
					least = left;
				break;
			}
			tcp_end(c);
		}
	}
	tcp_bury(server);
	return least;
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

void
tcp_init(struct server *server)
{
	for (int i = 0; i < CROWDS; i++)
		TAILQ_INIT(&server->crowds[i]);
	TAILQ_INIT(&server->buried);
}

void
tcp_stop(struct server *server)
{
	struct connection *c;

	while ((c = find_least(server, NULL)) != NULL)
		tcp_end(c);
	tcp_bury(server);
}
