/*
 * The servers of tcp: and socketmap: tables, asked by many and waited for by nobody.
 *
 * A question has a connection to itself, since not every server can take a
 * second one before it has answered the first; there are so many connections
 * to a server as questions, up to a limit, and the rest wait for their turn.
 * All have the same time from when they came. A server that lets it pass and
 * answers nobody else either rests: for a while all hear at once that nobody
 * knows.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/un.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/base.h"
#include "proxymap/proxymap.h"
#include "resolve/resolve.h"
#include "service/service.h"
#include "table/server.h"

#define CONNECTIONS_MAX	100	/* to one server: as many as Postfix has processes */

struct server_question {
	TAILQ_ENTRY(server_question) link;	/* while it waits for a connection */
	struct server		*server;
	struct connection	*connection;
	struct event		*patience;
	int64_t			 asked_ms;
	bool			 is_hopeless;	/* nobody is asked */
	struct text		 words;
	server_done		*done;
	void			*argument;
};

struct connection {
	TAILQ_ENTRY(connection)	 link;		/* while it is idle */
	struct server		*server;
	struct server_question	*question;	/* NULL: idle */
	struct bufferevent	*io;
	struct resolve_query	*query;		/* for the host */
	bool			 was_used;
};

struct server {
	struct table_server	 place;
	in_port_t		 port;		/* network order */
	const char		*why;		/* there is no such server */
	size_t			 count;
	int64_t			 answered_ms;	/* when it last did */
	int64_t			 rests_until_ms;
	TAILQ_HEAD(, connection) idle;
	TAILQ_HEAD(, server_question) waiting;
};

static struct resolver *resolver;
static struct map *servers;

void
servers_open(void)
{
	const char *why = NULL;

	servers = map_new();
	resolver = resolve_new(service_base, &why);
	if (resolver == NULL)
		log_warning("cannot read the resolver's configuration: %s; "
		    "servers of tables are found by address alone", why);
}

static in_port_t
find_port(const char *text)
{
	const char *error;
	in_port_t port = (in_port_t)strtonum(text, 1, 65535, &error);
	const struct servent *service = error == NULL ? NULL :
	    getservbyname(text, "tcp");

	return service != NULL ? (in_port_t)service->s_port : htons(port);
}

static struct server *
find_server(const char *name)
{
	struct server *server = map_get(servers, name);

	if (server != NULL)
		return server;
	server = mem_zalloc(1, sizeof(*server));
	TAILQ_INIT(&server->idle);
	TAILQ_INIT(&server->waiting);
	if (table_server_parse(name, &server->place, &server->why) == 0 &&
	    !server->place.is_unix &&
	    (server->port = find_port(server->place.port)) == 0)
		server->why = "unknown port";
	map_set(servers, name, server);
	return server;
}

/* Questions. */

static void	dispatch(struct server *server);

static void
connection_free(struct connection **argument)
{
	struct connection *c = *argument;

	*argument = NULL;
	if (c->question == NULL)
		TAILQ_REMOVE(&c->server->idle, c, link);
	resolve_cancel(&c->query);
	if (c->io != NULL)
		bufferevent_free(c->io);
	c->server->count--;
	free(c);
}

/* The end of a question: who asked hears it. */
static void
answer(struct server_question *q, enum table_answer answer, const char *text)
{
	struct server *server = q->server;
	server_done *done = q->done;
	void *argument = q->argument;

	if (q->connection == NULL && !q->is_hopeless)
		TAILQ_REMOVE(&server->waiting, q, link);
	event_free(q->patience);
	text_clear(&q->words);
	free(q);
	done(answer, text, argument);
	dispatch(server);
}

/* The connection is of no use. One that was open for long may just have been too old. */
static void
fail(struct connection *c, const char *why)
{
	struct server_question *q = c->question;
	bool was_used = c->was_used;

	connection_free(&c);
	if (q == NULL)
		return;
	q->connection = NULL;
	TAILQ_INSERT_HEAD(&q->server->waiting, q, link);
	if (was_used)
		dispatch(q->server);
	else
		answer(q, TABLE_ERROR, why);
}

static void
on_impatient(evutil_socket_t fd, short what, void *argument)
{
	struct server_question *q = argument;

	if (q->is_hopeless) {
		answer(q, TABLE_ERROR, q->server->why != NULL ?
		    q->server->why : "the server did not answer just now");
		return;
	}
	/* It waited in vain: who comes next need not, unless it is the question. */
	if (q->server->answered_ms < q->asked_ms)
		q->server->rests_until_ms = clock_ms() + TABLE_SERVER_REST_MS;
	if (q->connection != NULL) {
		q->connection->was_used = false;
		fail(q->connection, strerror(ETIMEDOUT));
	} else
		answer(q, TABLE_ERROR, strerror(ETIMEDOUT));
}

/* Connections. */

static void
on_readable(struct bufferevent *io, void *argument)
{
	struct connection *c = argument;
	struct server_question *q = c->question;
	struct evbuffer *input = bufferevent_get_input(io);
	size_t length = evbuffer_get_length(input);
	struct text bytes = { (char *)evbuffer_pullup(input, -1), length,
	    length }, text = TEXT_EMPTY;
	enum table_answer said;

	if (q == NULL || length > TABLE_SERVER_REPLY_MAX)
		fail(c, "it says what nobody asked");
	else if (table_server_hear(&c->server->place, &bytes, &said, &text)) {
		evbuffer_drain(input, length);
		c->question = NULL;
		c->was_used = true;
		c->server->answered_ms = clock_ms();
		TAILQ_INSERT_HEAD(&c->server->idle, c, link);
		answer(q, said, text_string(&text));
	}
	text_clear(&text);
}

static void
on_event(struct bufferevent *io, short what, void *argument)
{
	if (what & BEV_EVENT_EOF)
		fail(argument, strerror(ECONNRESET));
	else if (what & BEV_EVENT_ERROR)
		fail(argument, strerror(EVUTIL_SOCKET_ERROR()));
}

/* fail() from the loop, not from inside the call that gave the question. */
static void
connect_to(struct connection *c, const struct sockaddr *address, size_t length)
{
	c->io = bufferevent_socket_new(service_base, -1,
	    BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	bufferevent_setcb(c->io, on_readable, NULL, on_event, c);
	bufferevent_enable(c->io, EV_READ | EV_WRITE);
	evbuffer_add(bufferevent_get_output(c->io), c->question->words.bytes,
	    c->question->words.length);
	bufferevent_socket_connect(c->io, address, (int)length);
}

static void
connect_to_host(struct connection *c, union resolve_address *address)
{
	address->v4.sin_port = c->server->port;
	connect_to(c, &address->any, address->any.sa_family == AF_INET ?
	    sizeof(address->v4) : sizeof(address->v6));
}

static void
on_resolved(const struct resolve_answer *found, void *argument)
{
	struct connection *c = argument;
	union resolve_address address;

	c->query = NULL;
	if (found->count == 0) {
		fail(c, resolve_reason(found->result));
		return;
	}
	address = found->addresses[0];
	/* Both families may be there for one who listens with the older alone. */
	for (size_t i = 0; i < found->count; i++)
		if (found->addresses[i].any.sa_family == AF_INET)
			address = found->addresses[i];
	connect_to_host(c, &address);
}

static void
open_connection(struct connection *c)
{
	const struct table_server *place = &c->server->place;
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	union resolve_address address = { .any.sa_family = AF_UNSPEC };

	if (place->is_unix) {
		strlcpy(local.sun_path, place->host, sizeof(local.sun_path));
		connect_to(c, (struct sockaddr *)&local, sizeof(local));
		return;
	}
	if (inet_pton(AF_INET, place->host, &address.v4.sin_addr) == 1)
		address.any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, place->host,
	    &address.v6.sin6_addr) == 1)
		address.any.sa_family = AF_INET6;
	if (address.any.sa_family != AF_UNSPEC || resolver == NULL)
		connect_to_host(c, &address);
	else
		c->query = resolve_addresses(resolver, place->host,
		    RESOLVE_V4 | RESOLVE_V6 | RESOLVE_HOSTS, on_resolved, c);
}

/* Give waiting questions to idle connections, or to new ones. */
static void
dispatch(struct server *server)
{
	struct server_question *q;

	while ((q = TAILQ_FIRST(&server->waiting)) != NULL) {
		struct connection *c = TAILQ_FIRST(&server->idle);

		if (c == NULL && server->count >= CONNECTIONS_MAX)
			return;
		TAILQ_REMOVE(&server->waiting, q, link);
		if (c != NULL) {
			TAILQ_REMOVE(&server->idle, c, link);
			evbuffer_add(bufferevent_get_output(c->io),
			    q->words.bytes, q->words.length);
		} else {
			c = mem_zalloc(1, sizeof(*c));
			c->server = server;
			server->count++;
		}
		c->question = q;
		q->connection = c;
		if (c->io == NULL)
			open_connection(c);
	}
}

void
server_ask(const char *name, const char *key, server_done *done,
    void *argument)
{
	const struct timeval patience = { TABLE_SERVER_WAIT_MS / 1000, 0 };
	const struct timeval none = { 0, 0 };
	struct server *server = find_server(name);
	struct server_question *q = mem_zalloc(1, sizeof(*q));
	bool rests = clock_ms() < server->rests_until_ms;

	q->server = server;
	q->done = done;
	q->argument = argument;
	q->asked_ms = clock_ms();
	q->patience = evtimer_new(service_base, on_impatient, q);
	/* From the loop, so that nobody is answered from inside his own call. */
	if (rests || server->why != NULL) {
		q->is_hopeless = true;
		evtimer_add(q->patience, &none);
		return;
	}
	TAILQ_INSERT_TAIL(&server->waiting, q, link);
	table_server_ask(&server->place, key, &q->words);
	evtimer_add(q->patience, &patience);
	dispatch(server);
}
