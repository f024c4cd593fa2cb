/* Control channels: who connects is let in by address, and heard when his key is right. */

#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "named-lite/envoy/office.h"
#include "named-lite/report.h"
#include "named-lite/sockets.h"
#include "rndc/rndc.h"

#define SESSIONS_MAX	64
#define IDLE_SECONDS	60
#define CLOCK_SKEW	300	/* seconds that clocks may differ, as in BIND */

static struct channel {
	int	 fd;
	struct event *event;
	union control_socket address;
} channels[CONTROL_CHANNELS_MAX];

struct session {
	struct bufferevent *stream;
	union control_socket channel;	/* where it came in */
	char	 peer[SOCKETS_TEXT];
	char	*nonce;			/* NULL until it was told */
	char	*command;		/* under way, as it is answered */
	char	*serial;
	struct dns_key key;		/* that it signed with */
	bool	 is_ending;		/* when its reply has left */
};

static unsigned session_count;

/* The row of the plan for a channel: who may come, with which keys. */
static const struct plan_channel *
find_row(const union control_socket *address)
{
	for (uint32_t i = 0; i < office.plan.header->channel_count; i++)
		if (memcmp(&office.plan.channels[i].address, address,
		    sizeof(*address)) == 0)
			return &office.plan.channels[i];
	return NULL;
}

static void
end(struct session *session)
{
	errand_forget(session);
	bufferevent_free(session->stream);
	free(session->nonce);
	free(session->command);
	free(session->serial);
	freezero(session, sizeof(*session));
	session_count--;
}

/* Replies */

static void
put_control_table(struct session *session, struct text *message)
{
	size_t table = rndc_open_table(message, "_ctrl");
	time_t now = time(NULL);
	char number[24];

	rndc_put(message, "_ser", session->serial);
	snprintf(number, sizeof(number), "%lld", (long long)now);
	rndc_put(message, "_tim", number);
	snprintf(number, sizeof(number), "%lld", (long long)now + IDLE_SECONDS);
	rndc_put(message, "_exp", number);
	rndc_put(message, "_rpl", "1");
	rndc_put(message, "_nonce", session->nonce);
	rndc_close_table(message, table);
}

static void
send_reply(struct session *session, const char *error, const char *text)
{
	struct text message = TEXT_EMPTY;
	size_t table;

	rndc_begin(&message, &session->key);
	put_control_table(session, &message);
	table = rndc_open_table(&message, "_data");
	rndc_put(&message, "type", session->command);
	rndc_put(&message, "result", error != NULL ? "25" : "0");
	if (error != NULL)
		rndc_put(&message, "err", error);
	if (text != NULL && *text != '\0')
		rndc_put(&message, "text", text);
	rndc_close_table(&message, table);
	rndc_finish(&message, &session->key);
	bufferevent_write(session->stream, message.bytes, message.length);
	text_clear(&message);
	free(session->command);
	session->command = NULL;
}

void
session_reply(struct session *session, const char *error, const char *text)
{
	session->is_ending = true;
	send_reply(session, error, text);
}

/* Requests */

static bool
is_timely(const struct rndc_message *message)
{
	char *sent = rndc_value(message, "_ctrl", "_tim");
	char *expires = rndc_value(message, "_ctrl", "_exp");
	long long now = time(NULL);
	bool timely = sent != NULL && expires != NULL &&
	    llabs(atoll(sent) - now) <= CLOCK_SKEW && atoll(expires) >= now;

	free(sent);
	free(expires);
	return timely;
}

static void
greet(struct session *session)
{
	char number[24];

	snprintf(number, sizeof(number), "%u", arc4random());
	session->nonce = mem_strdup(number);
	send_reply(session, NULL, NULL);
}

/* Why a message is not obeyed; NULL if it is. */
static const char *
obey(struct session *session, const void *bytes, size_t length)
{
	const struct plan_channel *row = find_row(&session->channel);
	struct dns_key keys[PLAN_CHANNEL_KEYS];
	struct rndc_message message;
	const char *why;
	char *line;

	if (row == NULL)
		return "the channel is closed";
	for (uint32_t i = 0; i < row->key_count; i++)
		keys[i] = *plan_key(&office.plan, row->keys[i]);
	if (rndc_read(&message, bytes, length, keys, row->key_count, &why) ==
	    -1)
		return why;
	if (!is_timely(&message))
		return "expired: the clocks differ, or it is an old one";
	session->key = *message.key;
	free(session->serial);
	session->serial = rndc_value(&message, "_ctrl", "_ser");
	session->command = rndc_value(&message, "_data", "type");
	if (session->serial == NULL || session->command == NULL)
		return "malformed message";
	if (session->nonce == NULL) {
		greet(session);
		return NULL;
	}
	if (!rndc_is(&message, "_ctrl", "_nonce", session->nonce))
		return "wrong nonce";
	log_info("received control channel command '%s'", session->command);
	line = mem_strdup(session->command);
	command_run(session, line, row->read_only);
	free(line);
	return NULL;
}

static void
on_read(struct bufferevent *stream, void *argument)
{
	struct session *session = argument;
	struct evbuffer *in = bufferevent_get_input(stream);
	size_t have = evbuffer_get_length(in), length;
	const uint8_t *bytes;
	const char *why;

	/* One command at a time: what follows waits for its reply. */
	if (have < 4 || session->command != NULL || session->is_ending)
		return;
	length = dns_get32(evbuffer_pullup(in, 4));
	if (length < 4 || length > RNDC_MESSAGE_MAX) {
		log_warning("invalid command from %s: malformed message",
		    session->peer);
		end(session);
		return;
	}
	if (have < 4 + length)
		return;
	bytes = evbuffer_pullup(in, 4 + length);
	why = obey(session, bytes + 4, length);
	if (why != NULL) {
		log_warning("invalid command from %s: %s", session->peer, why);
		end(session);
		return;
	}
	evbuffer_drain(in, 4 + length);
}

static void
on_written(struct bufferevent *stream, void *argument)
{
	struct session *session = argument;

	if (session->is_ending)
		end(session);
}

/* Closed, or silent for too long; but who waits for a reply may be silent. */
static void
on_event(struct bufferevent *stream, short what, void *argument)
{
	struct session *session = argument;

	if ((what & BEV_EVENT_TIMEOUT) && session->command != NULL)
		bufferevent_enable(stream, EV_READ);
	else
		end(session);
}

/* Listening */

static void
start(const struct channel *channel, int fd, const union control_socket *peer)
{
	const struct timeval idle = { IDLE_SECONDS, 0 };
	struct session *session = mem_zalloc(1, sizeof(*session));
	struct control_address address = { .socket = *peer };

	session->channel = channel->address;
	sockets_print(&address, session->peer);
	session->stream = bufferevent_socket_new(office.events, fd,
	    BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(session->stream, on_read, on_written, on_event,
	    session);
	bufferevent_setwatermark(session->stream, EV_READ, 0,
	    2 * RNDC_MESSAGE_MAX);
	bufferevent_set_timeouts(session->stream, &idle, &idle);
	bufferevent_enable(session->stream, EV_READ | EV_WRITE);
	session_count++;
}

static void
on_connection(evutil_socket_t listening, short events, void *argument)
{
	const struct channel *channel = argument;
	union control_socket peer;
	socklen_t length = sizeof(peer);
	int fd = accept4(listening, &peer.any, &length,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	const struct plan_channel *row = find_row(&channel->address);

	if (fd == -1)
		return;
	if (row != NULL && session_count < SESSIONS_MAX &&
	    image_acl_allows(&office.image, row->acl, &peer.any)) {
		start(channel, fd, &peer);
		return;
	}
	if (row != NULL && session_count < SESSIONS_MAX) {
		char text[SOCKETS_TEXT];
		struct control_address address = { .socket = peer };

		report(LOG_CATEGORY_SECURITY, LOG_LEVEL_WARNING,
		    "rejected command channel message from %s",
		    sockets_print(&address, text));
	}
	fd_close(&fd);
}

void
channel_open(unsigned number, int fd)
{
	struct channel *channel;
	socklen_t length = sizeof(channel->address);

	if (number >= CONTROL_CHANNELS_MAX) {
		fd_close(&fd);
		return;
	}
	channel_close(number);
	channel = &channels[number];
	memset(&channel->address, 0, sizeof(channel->address));
	getsockname(fd, &channel->address.any, &length);
	channel->fd = fd;
	channel->event = event_new(office.events, fd, EV_READ | EV_PERSIST,
	    on_connection, channel);
	event_add(channel->event, NULL);
}

void
channel_close(unsigned number)
{
	struct channel *channel = &channels[number];

	if (number >= CONTROL_CHANNELS_MAX || channel->event == NULL)
		return;
	event_free(channel->event);
	channel->event = NULL;
	fd_close(&channel->fd);
}
