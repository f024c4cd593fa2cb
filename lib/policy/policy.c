#include "policy/policy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/base.h"
#include "config/config.h"
#include "ipc/channel.h"
#include "policy/place.h"

#define CONNECTIONS_MAX	100	/* to one service; further questions wait for their turn */
#define REPLY_LIMIT	65536

struct policy_request {
	TAILQ_ENTRY(policy_request) link;	/* while it waits for a connection */
	struct policy_service	*service;
	struct connection	*connection;	/* NULL: waits for one, or for the next try */
	struct event		*later;
	struct text		 attributes;
	int			 tries;
	policy_done		*done;
	void			*argument;
};

struct connection {
	TAILQ_ENTRY(connection)	 link;		/* while it is idle */
	struct policy_service	*service;
	struct policy_request	*request;	/* NULL: idle */
	struct bufferevent	*io;		/* NULL: proxymap was asked for it */
	uint64_t		 call;		/* that question */
	struct event		*patience;	/* for the answer, or the next question */
	int			 served;
	int64_t			 born_ms;
};

struct policy_service {
	struct event_base	*base;
	char			*endpoint;
	struct policy_settings	 settings;
	struct ipc_client	*proxymap;	/* NULL: we can connect ourselves */
	struct place		 place;
	size_t			 count;		/* connections */
	TAILQ_HEAD(, connection) idle;
	TAILQ_HEAD(, policy_request) waiting;
};

void
policy_attribute(struct text *attributes, const char *name, const char *value)
{
	text_printf(attributes, "%s=", name);
	for (; *value != '\0'; value++)
		if (*value != '\n' && *value != '\r')
			text_putc(attributes, *value);
	text_putc(attributes, '\n');
}

struct policy_service *
policy_open(struct event_base *base, const char *endpoint,
    const struct policy_settings *settings, const char **why)
{
	struct policy_service *service = mem_zalloc(1, sizeof(*service));

	service->base = base;
	service->endpoint = mem_strdup(endpoint);
	service->settings = *settings;
	TAILQ_INIT(&service->idle);
	TAILQ_INIT(&service->waiting);
	if (place_find(endpoint, &service->place, why) == -1) {
		free(service->endpoint);
		free(service);
		return NULL;
	}
	if (service->place.length == 0)
		service->proxymap = ipc_client_new(base,
		    config.proxymap_service_name);
	return service;
}

/* Connections. */

static void	dispatch(struct policy_service *service);
static void	fail(struct connection **connection, const char *why);

static void
connection_free(struct connection **argument)
{
	struct connection *c = *argument;

	*argument = NULL;
	if (c->request == NULL)
		TAILQ_REMOVE(&c->service->idle, c, link);
	if (c->call != 0)
		ipc_client_cancel(c->service->proxymap, c->call);
	if (c->io != NULL)
		bufferevent_free(c->io);
	event_free(c->patience);
	c->service->count--;
	free(c);
}

static void
wait_at_most(struct connection *c, int seconds)
{
	const struct timeval span = { seconds, 0 };

	evtimer_add(c->patience, &span);
}

/* What it said beyond its answer would be taken for the answer to the next question, which is about another client. */
static bool
may_serve_more(const struct connection *c)
{
	const struct policy_settings *settings = &c->service->settings;

	return evbuffer_get_length(bufferevent_get_input(c->io)) == 0 &&
	    (settings->request_limit == 0 ||
	    c->served < settings->request_limit) &&
	    clock_ms() - c->born_ms < settings->max_ttl * INT64_C(1000);
}

static void
request_free(struct policy_request **argument)
{
	struct policy_request *r = *argument;

	*argument = NULL;
	if (r->later != NULL)
		event_free(r->later);
	text_clear(&r->attributes);
	free(r);
}

/* The answer is there: the connection is free for the next question. */
static void
answered(struct connection *c, const char *action)
{
	struct policy_service *service = c->service;
	struct policy_request *r = c->request;
	policy_done *done = r->done;
	void *argument = r->argument;

	c->request = NULL;
	c->served++;
	TAILQ_INSERT_HEAD(&service->idle, c, link);
	if (may_serve_more(c))
		wait_at_most(c, service->settings.max_idle);
	else
		connection_free(&c);
	request_free(&r);
	done(action, argument);
	dispatch(service);
}

/* "action=x" and an empty line. Other attributes are not for us. */
static void
on_readable(struct bufferevent *io, void *argument)
{
	struct connection *c = argument;
	struct evbuffer *input = bufferevent_get_input(io);
	struct evbuffer_ptr end = evbuffer_search(input, "\n\n", 2, NULL);
	char *reply, *line, *cursor, *action = NULL;
	size_t length;

	if (c->request == NULL || evbuffer_get_length(input) > REPLY_LIMIT) {
		fail(&c, "it speaks out of turn");
		return;
	}
	if (end.pos == -1)
		return;
	length = (size_t)end.pos + 2;
	cursor = reply = mem_zalloc(1, length + 1);
	evbuffer_remove(input, reply, length);
	while ((line = word_next(&cursor, "\r\n")) != NULL)
		if (action == NULL && text_starts_with(line, "action="))
			action = line + strlen("action=");
	if (action == NULL)
		fail(&c, "its answer has no action");
	else
		answered(c, action);
	free(reply);
}

static void
on_event(struct bufferevent *io, short what, void *argument)
{
	struct connection *c = argument;

	if (what & BEV_EVENT_EOF)
		fail(&c, "it closed the connection");
	else if (what & BEV_EVENT_ERROR)
		fail(&c, strerror(EVUTIL_SOCKET_ERROR()));
}

static void
on_patience(evutil_socket_t fd, short what, void *argument)
{
	struct connection *c = argument;

	if (c->request == NULL)
		connection_free(&c);
	else
		fail(&c, "it did not answer in time");
}

static void
speak(struct connection *c)
{
	struct evbuffer *output = bufferevent_get_output(c->io);

	evbuffer_add(output, c->request->attributes.bytes,
	    c->request->attributes.length);
	evbuffer_add(output, "\n", 1);
	wait_at_most(c, c->service->settings.timeout);
}

static void
attach(struct connection *c, int fd)
{
	c->io = bufferevent_socket_new(c->service->base, fd,
	    BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(c->io, on_readable, NULL, on_event, c);
	bufferevent_enable(c->io, EV_READ | EV_WRITE);
	speak(c);
}

static void
on_reached(struct ipc_packet *packet, void *argument)
{
	struct connection *c = argument;
	struct ipc_reached answer = { .error = EIO };
	int fd;

	c->call = 0;
	if (packet == NULL || ipc_decode_reached(packet, &answer) == -1)
		fail(&c, "nobody opens the connection for us");
	else if (answer.error != 0)
		fail(&c, strerror((int)answer.error));
	else {
		fd = ipc_packet_take_fd(packet);
		fd_nonblocking(fd, true);
		attach(c, fd);
	}
}

static void
open_connection(struct connection *c)
{
	struct policy_service *service = c->service;
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct ipc_reach question = { service->endpoint };

	wait_at_most(c, service->settings.timeout);
	if (service->proxymap != NULL) {
		ipc_encode_reach(&packet, 0, &question);
		c->call = ipc_client_call(service->proxymap, &packet,
		    on_reached, c);
		return;
	}
	attach(c, -1);
	bufferevent_socket_connect(c->io,
	    (struct sockaddr *)&service->place.address,
	    (int)service->place.length);
}

static struct connection *
connection_new(struct policy_service *service)
{
	struct connection *c = mem_zalloc(1, sizeof(*c));

	c->service = service;
	c->patience = evtimer_new(service->base, on_patience, c);
	c->born_ms = clock_ms();
	service->count++;
	return c;
}

/* Give waiting questions to idle connections, or to new ones. */
static void
dispatch(struct policy_service *service)
{
	struct policy_request *r;
	struct connection *c;

	while ((r = TAILQ_FIRST(&service->waiting)) != NULL) {
		c = TAILQ_FIRST(&service->idle);
		if (c == NULL && service->count >= CONNECTIONS_MAX)
			return;
		TAILQ_REMOVE(&service->waiting, r, link);
		if (c != NULL) {
			TAILQ_REMOVE(&service->idle, c, link);
			c->request = r;
			r->connection = c;
			speak(c);
		} else {
			c = connection_new(service);
			c->request = r;
			r->connection = c;
			open_connection(c);
		}
	}
}

static void
on_later(evutil_socket_t fd, short what, void *argument)
{
	struct policy_request *r = argument;
	policy_done *done = r->done;
	void *context = r->argument;

	if (r->tries < r->service->settings.try_limit) {
		TAILQ_INSERT_TAIL(&r->service->waiting, r, link);
		r->connection = NULL;
		event_free(r->later);
		r->later = NULL;
		dispatch(r->service);
		return;
	}
	request_free(&r);
	done(NULL, context);
}

/* From the loop, so that nobody is called back from inside his own call. */
static void
try_later(struct policy_request *r, int seconds)
{
	const struct timeval pause = { seconds, 0 };

	r->later = evtimer_new(r->service->base, on_later, r);
	evtimer_add(r->later, &pause);
}

/* The connection is of no use. One that had served before may just have been too old: that is no try. */
static void
fail(struct connection **argument, const char *why)
{
	struct connection *c = *argument;
	struct policy_request *r = c->request;
	struct policy_service *service = c->service;
	bool was_old = c->served > 0;

	*argument = NULL;
	connection_free(&c);
	if (r == NULL)
		return;
	r->connection = NULL;
	if (!was_old) {
		r->tries++;
		log_warning("problem talking to server %s: %s",
		    service->endpoint, why);
	}
	try_later(r, was_old || r->tries >= service->settings.try_limit
	    ? 0 : service->settings.retry_delay);
	dispatch(service);
}

struct policy_request *
policy_ask(struct policy_service *service, struct text *attributes,
    policy_done *done, void *argument)
{
	struct policy_request *r = mem_zalloc(1, sizeof(*r));

	r->service = service;
	r->attributes = *attributes;
	*attributes = (struct text)TEXT_EMPTY;
	r->done = done;
	r->argument = argument;
	TAILQ_INSERT_TAIL(&service->waiting, r, link);
	dispatch(service);
	return r;
}

void
policy_cancel(struct policy_request **argument)
{
	struct policy_request *r = *argument;

	if (r == NULL)
		return;
	*argument = NULL;

	struct policy_service *service = r->service;

	if (r->connection != NULL)
		connection_free(&r->connection);
	else if (r->later == NULL)
		TAILQ_REMOVE(&service->waiting, r, link);
	request_free(&r);
	dispatch(service);
}
