#include "ipc/channel.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/tree.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"

/* Packets that one wake-up may take, so that a busy peer leaves time for the others. */
#define PACKETS_AT_ONCE	64

/* After a connection failed, calls wait this long for their bad news. */
#define CONNECT_PAUSE_MS	200

struct unsent {
	struct ipc_packet	 packet;
	STAILQ_ENTRY(unsent)	 next;
};

struct ipc_channel {
	int			 fd;
	struct event		 readable, writable;
	STAILQ_HEAD(, unsent)	 unsent;
	size_t			 unsent_count;
	ipc_packet_callback	*on_packet;
	ipc_closed_callback	*on_closed;
	void			*context;
	bool			*freed;	/* set if a callback frees the channel under our feet */
	bool			 paused;
};

static void
on_readable(int fd, short what, void *argument)
{
	struct ipc_channel *channel = argument;
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	bool freed = false;

	channel->freed = &freed;
	for (int i = 0; i < PACKETS_AT_ONCE && !freed && !channel->paused; i++) {
		int got = ipc_receive(fd, &packet, false);

		if (got == 1) {
			channel->on_packet(channel, &packet, channel->context);
			continue;
		}
		if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (got == -1 && errno != ECONNRESET)
			log_warning("bad packet from a brother daemon: %m");
		/* What he sends from now on fails; what he sent before, on_closed() may look for. */
		if (got == -1)
			shutdown(fd, SHUT_RDWR);
		event_del(&channel->readable);
		event_del(&channel->writable);
		channel->freed = NULL;
		ipc_packet_clear(&packet);
		channel->on_closed(channel, channel->context);
		return;
	}
	ipc_packet_clear(&packet);
	if (!freed)
		channel->freed = NULL;
}

/* A packet that is dropped would be waited for: the connection ends, as on_readable() will see. */
static void
give_up(struct ipc_channel *channel)
{
	if (errno != EPIPE && errno != ECONNRESET)
		log_warning("cannot send a packet to a brother daemon: %m; "
		    "ending the connection");
	shutdown(channel->fd, SHUT_RDWR);
}

/* False: not now. */
static bool
send_now(struct ipc_channel *channel, const struct ipc_packet *packet)
{
	if (ipc_send(channel->fd, packet) == 0)
		return true;
	if (errno == EAGAIN || errno == ENOBUFS)
		return false;
	give_up(channel);
	return true;
}

static void
on_writable(int fd, short what, void *argument)
{
	struct ipc_channel *channel = argument;
	struct unsent *first;

	while ((first = STAILQ_FIRST(&channel->unsent)) != NULL) {
		if (!send_now(channel, &first->packet))
			return;
		STAILQ_REMOVE_HEAD(&channel->unsent, next);
		channel->unsent_count--;
		ipc_packet_clear(&first->packet);
		free(first);
	}
	event_del(&channel->writable);
}

struct ipc_channel *
ipc_channel_new(struct event_base *base, int *fd,
    ipc_packet_callback *on_packet, ipc_closed_callback *on_closed,
    void *context)
{
	struct ipc_channel *channel = mem_zalloc(1, sizeof(*channel));

	channel->fd = *fd;
	*fd = -1;
	channel->on_packet = on_packet;
	channel->on_closed = on_closed;
	channel->context = context;
	STAILQ_INIT(&channel->unsent);
	fd_nonblocking(channel->fd, true);
	event_assign(&channel->readable, base, channel->fd,
	    EV_READ | EV_PERSIST, on_readable, channel);
	event_assign(&channel->writable, base, channel->fd,
	    EV_WRITE | EV_PERSIST, on_writable, channel);
	event_add(&channel->readable, NULL);
	return channel;
}

void
ipc_channel_free(struct ipc_channel **argument)
{
	struct ipc_channel *channel = *argument;
	struct unsent *first;

	if (channel == NULL)
		return;
	if (channel->freed != NULL)
		*channel->freed = true;
	event_del(&channel->readable);
	event_del(&channel->writable);
	while ((first = STAILQ_FIRST(&channel->unsent)) != NULL) {
		STAILQ_REMOVE_HEAD(&channel->unsent, next);
		ipc_packet_clear(&first->packet);
		free(first);
	}
	fd_close(&channel->fd);
	free(channel);
	*argument = NULL;
}

void
ipc_channel_send(struct ipc_channel *channel, struct ipc_packet *packet)
{
	if (channel->unsent_count == 0 && send_now(channel, packet)) {
		ipc_packet_clear(packet);
		return;
	}

	struct unsent *last = mem_zalloc(1, sizeof(*last));

	last->packet = *packet;
	*packet = (struct ipc_packet)IPC_PACKET_EMPTY;
	STAILQ_INSERT_TAIL(&channel->unsent, last, next);
	if (channel->unsent_count++ == 0)
		event_add(&channel->writable, NULL);
}

void
ipc_channel_answer(struct ipc_channel *channel,
    const struct ipc_packet *request, int error)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;

	ipc_encode_done(&reply, ipc_packet_request(request),
	    &(struct ipc_done){ .error = error,
	    .reason = error != 0 ? "bad request" : "" });
	ipc_channel_send(channel, &reply);
}

size_t
ipc_channel_unsent(const struct ipc_channel *channel)
{
	return channel->unsent_count;
}

bool
ipc_channel_is_read(const struct ipc_channel *channel)
{
	int unread = 0;

	return channel->unsent_count == 0 &&
	    ioctl(channel->fd, SIOCOUTQ, &unread) == 0 && unread == 0;
}

void
ipc_channel_pause(struct ipc_channel *channel)
{
	channel->paused = true;
	event_del(&channel->readable);
}

void
ipc_channel_resume(struct ipc_channel *channel)
{
	channel->paused = false;
	event_add(&channel->readable, NULL);
}

uid_t
ipc_channel_peer(const struct ipc_channel *channel)
{
	return ipc_peer_uid(channel->fd);
}

void *
ipc_channel_context(const struct ipc_channel *channel)
{
	return channel->context;
}

/* Clients. */

struct request {
	uint64_t		 number;
	ipc_reply_callback	*on_reply;
	void			*context;
	RB_ENTRY(request)	 entry;
};

static int
compare_requests(struct request *a, struct request *b)
{
	return a->number < b->number ? -1 : a->number > b->number;
}

RB_HEAD(request_tree, request);
RB_PROTOTYPE(request_tree, request, entry, compare_requests)
RB_GENERATE(request_tree, request, entry, compare_requests)

struct ipc_client {
	struct event_base	*base;
	const char		*service;
	struct ipc_channel	*channel;	/* NULL: connect at the next call */
	struct request_tree	 requests;
	uint64_t		 last_number;
	int64_t			 connect_after_ms;	/* after a failure, not at once again */
	struct event		 failed;	/* calls that could not be sent get their answer from here */
};

static void
answer(struct ipc_client *client, struct request *request,
    struct ipc_packet *reply)
{
	ipc_reply_callback *on_reply = request->on_reply;
	void *context = request->context;

	RB_REMOVE(request_tree, &client->requests, request);
	free(request);
	if (on_reply != NULL)
		on_reply(reply, context);
}

/* Everybody who waits hears that there will be no answer. What they ask meanwhile goes to the next connection. */
static void
answer_nobody_came(struct ipc_client *client)
{
	uint64_t last = client->last_number;
	struct request *first;

	while ((first = RB_MIN(request_tree, &client->requests)) != NULL &&
	    first->number <= last)
		answer(client, first, NULL);
}

static void
on_client_packet(struct ipc_channel *channel, struct ipc_packet *packet,
    void *argument)
{
	struct ipc_client *client = argument;
	struct request key = { .number = ipc_packet_request(packet) };
	struct request *request =
	    RB_FIND(request_tree, &client->requests, &key);

	if (request == NULL) {
		log_warning("%s answers a request that nobody made",
		    client->service);
		return;
	}
	answer(client, request, packet);
}

static void
on_client_closed(struct ipc_channel *channel, void *argument)
{
	struct ipc_client *client = argument;

	ipc_channel_free(&client->channel);
	answer_nobody_came(client);
}

static void
on_failed(int fd, short what, void *argument)
{
	struct ipc_client *client = argument;

	answer_nobody_came(client);
}

struct ipc_client *
ipc_client_new(struct event_base *base, const char *service)
{
	struct ipc_client *client = mem_zalloc(1, sizeof(*client));

	client->base = base;
	client->service = service;
	RB_INIT(&client->requests);
	event_assign(&client->failed, base, -1, 0, on_failed, client);
	return client;
}

void
ipc_client_free(struct ipc_client **client)
{
	struct request *request, *next;

	if (*client == NULL)
		return;
	event_del(&(*client)->failed);
	ipc_channel_free(&(*client)->channel);
	RB_FOREACH_SAFE(request, request_tree, &(*client)->requests, next) {
		RB_REMOVE(request_tree, &(*client)->requests, request);
		free(request);
	}
	free(*client);
	*client = NULL;
}

static void
connect_client(struct ipc_client *client)
{
	if (clock_ms() < client->connect_after_ms)
		return;

	int fd = ipc_connect(client->service, true);

	if (fd == -1) {
		client->connect_after_ms = clock_ms() + CONNECT_PAUSE_MS;
		log_warning("connect to the %s service: %m; is the mail system "
		    "running, and does master.cf have that service?",
		    client->service);
		return;
	}
	client->channel = ipc_channel_new(client->base, &fd, on_client_packet,
	    on_client_closed, client);
}

uint64_t
ipc_client_call(struct ipc_client *client, struct ipc_packet *packet,
    ipc_reply_callback *on_reply, void *context)
{
	struct request *request = mem_zalloc(1, sizeof(*request));

	request->number = ++client->last_number;
	request->on_reply = on_reply;
	request->context = context;
	RB_INSERT(request_tree, &client->requests, request);

	if (client->channel == NULL)
		connect_client(client);
	if (client->channel == NULL) {
		const struct timeval pause = { 0, CONNECT_PAUSE_MS * 1000 };

		ipc_packet_clear(packet);
		event_add(&client->failed, &pause);
		return request->number;
	}
	ipc_packet_set_request(packet, request->number);
	ipc_channel_send(client->channel, packet);
	return request->number;
}

void
ipc_client_cancel(struct ipc_client *client, uint64_t number)
{
	struct request key = { .number = number };
	struct request *request =
	    RB_FIND(request_tree, &client->requests, &key);

	if (request != NULL)
		request->on_reply = NULL;
}
