/* channel - c-ares in the event loop: its sockets, its timer */

#include <stdlib.h>
#include <sys/queue.h>
#include <sys/time.h>

#include <event2/event.h>

#include "base/base.h"
#include "resolve/internal.h"

#define TRY_MS		3000
#define TRIES		3
#define UDP_SIZE	1232

/* One of c-ares' sockets. */
struct channel_socket {
	LIST_ENTRY(channel_socket) link;
	struct event	*event;
	ares_socket_t	 fd;
};

void
channel_set_timer(struct resolver *resolver)
{
	struct timeval room;

	/* With no question under way it gives the limit, NULL, and leaves room as it was. */
	const struct timeval *wait = ares_timeout(resolver->channel, NULL,
	    &room);

	if (wait == NULL)
		evtimer_del(resolver->timer);
	else
		evtimer_add(resolver->timer, wait);
}

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct resolver *resolver = argument;

	ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	channel_set_timer(resolver);
}

static void
on_socket(evutil_socket_t fd, short what, void *argument)
{
	struct resolver *resolver = argument;

	ares_process_fd(resolver->channel,
	    what & EV_READ ? fd : ARES_SOCKET_BAD,
	    what & EV_WRITE ? fd : ARES_SOCKET_BAD);
	channel_set_timer(resolver);
}

static struct channel_socket *
find_socket(struct resolver *resolver, ares_socket_t fd)
{
	struct channel_socket *socket;

	LIST_FOREACH(socket, &resolver->sockets, link)
		if (socket->fd == fd)
			return socket;
	return NULL;
}

static void
drop_socket(struct channel_socket *socket)
{
	LIST_REMOVE(socket, link);
	event_free(socket->event);
	free(socket);
}

/* c-ares wants to hear of a socket, of it no more, or of less. */
static void
watch_socket(void *argument, ares_socket_t fd, int readable, int writable)
{
	struct resolver *resolver = argument;
	struct channel_socket *socket = find_socket(resolver, fd);

	if (socket != NULL)
		drop_socket(socket);
	if (!readable && !writable)
		return;
	socket = mem_zalloc(1, sizeof(*socket));
	socket->fd = fd;
	socket->event = event_new(resolver->base, fd, EV_PERSIST |
	    (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0), on_socket,
	    resolver);
	event_add(socket->event, NULL);
	LIST_INSERT_HEAD(&resolver->sockets, socket, link);
}

struct resolver *
resolve_new(struct event_base *base, const char **why)
{
	struct resolver *resolver = mem_zalloc(1, sizeof(*resolver));
	struct ares_options options = {
		.flags = ARES_FLAG_EDNS,
		.ednspsz = UDP_SIZE,
		.timeout = TRY_MS,
		.tries = TRIES,
		.sock_state_cb = watch_socket,
		.sock_state_cb_data = resolver,
	};
	int status;

	resolver->base = base;
	LIST_INIT(&resolver->sockets);
	status = ares_library_init(ARES_LIB_INIT_ALL);
	if (status == ARES_SUCCESS)
		status = ares_init_options(&resolver->channel, &options,
		    ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS |
		    ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
	if (status != ARES_SUCCESS) {
		*why = ares_strerror(status);
		free(resolver);
		return NULL;
	}
	resolver->timer = evtimer_new(base, on_timer, resolver);
	resolver->hosts = hosts_read("/etc/hosts");
	return resolver;
}

void
resolve_sift_with(struct resolver *resolver, resolve_sieve *sieve)
{
	resolver->sieve = sieve;
}

void
resolve_free(struct resolver **resolver)
{
	struct resolver *r = *resolver;

	if (r == NULL)
		return;
	/* Queries hear ARES_EDESTRUCTION and go. */
	ares_destroy(r->channel);
	while (!LIST_EMPTY(&r->sockets))
		drop_socket(LIST_FIRST(&r->sockets));
	event_free(r->timer);
	hosts_free(&r->hosts);
	free(r);
	*resolver = NULL;
}
