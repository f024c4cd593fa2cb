/* The sockets: for each address that named.conf asks for a pair an answering process, and the control channels. */

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "named-lite/report.h"
#include "named-lite/sockets.h"
#include "named-lite/supervisor/supervisor.h"

static bool
is_same(const struct control_address *a, const struct control_address *b)
{
	return memcmp(&a->socket, &b->socket, sizeof(a->socket)) == 0;
}

/* Answering */

static void
close_fds(struct listener *listener)
{
	for (int n = 0; n < supervisor.options->processes; n++) {
		fd_close(&listener->fds[n][0]);
		fd_close(&listener->fds[n][1]);
	}
}

static struct listener *
find_listener(const struct control_address *address)
{
	for (int i = 0; i < CONTROL_ADDRESSES_MAX; i++) {
		struct listener *listener = &supervisor.listeners[i];

		if (listener->is_used && is_same(&listener->address, address))
			return listener;
	}
	return NULL;
}

static struct listener *
open_listener(const struct control_address *address)
{
	struct supervisor *s = &supervisor;
	struct listener *listener = s->listeners;
	char text[SOCKETS_TEXT];
	int opened = 0;

	while (listener->is_used)
		if (++listener == s->listeners + CONTROL_ADDRESSES_MAX)
			return NULL;
	if (!s->options->under_master && !sockets_are_free(address))
		return NULL;
	while (opened < s->options->processes &&
	    sockets_open(address, listener->fds[opened]) == 0)
		opened++;
	if (opened < s->options->processes) {
		while (opened-- > 0) {
			fd_close(&listener->fds[opened][0]);
			fd_close(&listener->fds[opened][1]);
		}
		return NULL;
	}
	listener->address = *address;
	listener->is_used = true;
	report(LOG_CATEGORY_NETWORK, LOG_LEVEL_INFO,
	    "listening on %s interface %s, %s",
	    address->socket.any.sa_family == AF_INET ? "IPv4" : "IPv6",
	    address->interface, sockets_print(address, text));
	for (int n = 0; n < s->options->processes; n++)
		children_order(&s->answerers[n], CONTROL_LISTEN,
		    listener - s->listeners, listener->fds[n], 2);
	return listener;
}

static void
close_listener(struct listener *listener)
{
	char text[SOCKETS_TEXT];

	report(LOG_CATEGORY_NETWORK, LOG_LEVEL_INFO,
	    "no longer listening on %s",
	    sockets_print(&listener->address, text));
	children_order_all(CONTROL_FORGET, listener - supervisor.listeners,
	    NULL, 0);
	close_fds(listener);
	listener->is_used = false;
}

static int
use_addresses(const struct control_loaded *loaded)
{
	int count = 0;

	for (int i = 0; i < CONTROL_ADDRESSES_MAX; i++)
		supervisor.listeners[i].is_wanted = false;
	for (unsigned i = 0; i < loaded->count; i++) {
		struct listener *listener =
		    find_listener(&loaded->addresses[i]);

		if (listener == NULL)
			listener = open_listener(&loaded->addresses[i]);
		if (listener == NULL)
			continue;
		listener->is_wanted = true;
		count++;
	}
	for (int i = 0; i < CONTROL_ADDRESSES_MAX; i++)
		if (supervisor.listeners[i].is_used &&
		    !supervisor.listeners[i].is_wanted)
			close_listener(&supervisor.listeners[i]);
	return count;
}

/* Control channels. One that cannot be opened leaves the server as it is. */

static struct channel_socket *
find_channel(const struct control_address *address)
{
	for (int i = 0; i < CONTROL_CHANNELS_MAX; i++) {
		struct channel_socket *channel = &supervisor.channels[i];

		if (channel->is_used && is_same(&channel->address, address))
			return channel;
	}
	return NULL;
}

static struct channel_socket *
open_channel(const struct control_address *address)
{
	struct channel_socket *channel = supervisor.channels;
	char text[SOCKETS_TEXT];

	while (channel->is_used)
		if (++channel == supervisor.channels + CONTROL_CHANNELS_MAX)
			return NULL;
	channel->fd = sockets_open_channel(address);
	sockets_print(address, text);
	if (channel->fd == -1) {
		log_warning("couldn't add command channel %s: %m", text);
		return NULL;
	}
	channel->address = *address;
	channel->is_used = true;
	log_info("command channel listening on %s", text);
	children_order(&supervisor.envoy, CONTROL_CHANNEL,
	    channel - supervisor.channels, &channel->fd, 1);
	return channel;
}

static void
close_channel(struct channel_socket *channel)
{
	char text[SOCKETS_TEXT];

	log_info("stopping command channel on %s",
	    sockets_print(&channel->address, text));
	children_order(&supervisor.envoy, CONTROL_FORGET_CHANNEL,
	    channel - supervisor.channels, NULL, 0);
	fd_close(&channel->fd);
	channel->is_used = false;
}

static void
use_channels(const struct control_loaded *loaded)
{
	for (int i = 0; i < CONTROL_CHANNELS_MAX; i++)
		supervisor.channels[i].is_wanted = false;
	for (unsigned i = 0; i < loaded->channel_count; i++) {
		struct channel_socket *channel =
		    find_channel(&loaded->channels[i]);

		if (channel == NULL)
			channel = open_channel(&loaded->channels[i]);
		if (channel != NULL)
			channel->is_wanted = true;
	}
	for (int i = 0; i < CONTROL_CHANNELS_MAX; i++)
		if (supervisor.channels[i].is_used &&
		    !supervisor.channels[i].is_wanted)
			close_channel(&supervisor.channels[i]);
}

/* Listen where the configuration says, and nowhere else. */
int
listeners_use(const struct control_loaded *loaded)
{
	use_channels(loaded);
	return use_addresses(loaded);
}

void
listeners_close(void)
{
	for (int i = 0; i < CONTROL_ADDRESSES_MAX; i++)
		if (supervisor.listeners[i].is_used)
			close_fds(&supervisor.listeners[i]);
	for (int i = 0; i < CONTROL_CHANNELS_MAX; i++)
		if (supervisor.channels[i].is_used)
			fd_close(&supervisor.channels[i].fd);
}
