/* events - the skeleton of a daemon that waits on sockets */

#include "service/internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event_struct.h>

#include "base/base.h"
#include "config/config.h"
#include "service/programs.h"
#include "table/asker.h"

/* Connections that one wake-up may take. */
#define ACCEPTS_AT_ONCE	64

/* Connections that one user who is none of us may hold. */
#define STRANGER_MOST	50

/* When descriptors run out, accepting pauses this long. */
#define ACCEPT_PAUSE_MS	500

/* Who is ready to leave reads what was sent to it until now: a nudge is handed on. */
#define LAST_LOOK_MS	10

/* After SIGTERM a daemon has this long for what is in hand. */
#define LEAVE_SECONDS	5

struct event_base *service_base;

struct stranger {
	LIST_ENTRY(stranger)	 next;
	uid_t			 uid;
};

static struct {
	const struct service	*service;
	struct service_sockets	 sockets;
	struct event		*listeners[SERVICE_SOCKETS_MAX];
	struct event		*accept_again, *lifeline, *idle, *term, *hup;
	size_t			 channels;
	LIST_HEAD(, stranger)	 strangers;
	bool			 leaving;
	bool			 ending;	/* within LEAVE_SECONDS */
	bool			 on_demand;
} self;

bool
service_is_leaving(void)
{
	return self.leaving;
}

bool
service_is_ending(void)
{
	return self.ending;
}

static void
touch_idle_timer(void)
{
	const struct timeval idle = { config.max_idle, 0 };

	if (self.on_demand)
		event_add(self.idle, &idle);
}

void
service_check_idle(void)
{
	const struct timeval last_look = { 0, LAST_LOOK_MS * 1000 };

	if (self.leaving &&
	    (self.service->busy == NULL || !self.service->busy()))
		event_base_loopexit(service_base, &last_look);
}

static void
stop_listening(void)
{
	event_del(self.accept_again);
	for (int i = 0; i < self.sockets.count; i++) {
		if (self.listeners[i] != NULL)
			event_free(self.listeners[i]);
		self.listeners[i] = NULL;
		fd_close(&self.sockets.fd[i]);
	}
}

/* Called twice by a daemon that is reloaded and then stopped. */
static void
leave(bool at_once)
{
	const struct timeval limit = { LEAVE_SECONDS, 0 };

	if (at_once && !self.ending) {
		event_base_loopexit(service_base, &limit);
		self.ending = true;
	} else if (self.leaving)
		return;
	if (!self.leaving)
		stop_listening();
	self.leaving = true;
	if (self.service->drain != NULL)
		self.service->drain();
	service_check_idle();
}

static void
on_term(int signal, short what, void *argument)
{
	leave(true);
}

static void
on_hup(int signal, short what, void *argument)
{
	leave(false);
}

static void
on_lifeline(int fd, short what, void *argument)
{
	char byte;

	if (read(fd, &byte, 1) <= 0) {
		event_del(self.lifeline);
		leave(true);
	}
}

static void
on_idle(int fd, short what, void *argument)
{
	if (self.channels > 0 ||
	    (self.service->busy != NULL && self.service->busy()))
		touch_idle_timer();
	else
		leave(false);
}

static void
on_nudge(struct ipc_channel *channel, struct ipc_packet *packet,
    void *argument)
{
	struct ipc_nudge nudge;

	if (ipc_decode_nudge(packet, &nudge) == 0 &&
	    self.service->nudged != NULL)
		self.service->nudged(nudge.what);
	else
		log_warning("%s: a %s packet that is not for it; ignored",
		    service_name, ipc_kind_name(ipc_packet_kind(packet)));
}

static void
on_packet(struct ipc_channel *channel, struct ipc_packet *packet,
    void *argument)
{
	touch_idle_timer();
	if (ipc_packet_kind(packet) == IPC_nudge || self.service->packet == NULL)
		on_nudge(channel, packet, argument);
	else
		self.service->packet(channel, packet,
		    ipc_channel_context(channel));
}

/* A user's postqueue, postdrop or sendmail. */
static void
on_stranger(struct ipc_channel *channel, struct ipc_packet *packet,
    void *argument)
{
	touch_idle_timer();
	if (ipc_packet_kind(packet) == IPC_nudge || self.service->stranger == NULL)
		on_nudge(channel, packet, argument);
	else
		self.service->stranger(channel, packet, NULL);
}

static void
on_closed(struct ipc_channel *channel, void *argument)
{
	if (self.service->closed != NULL)
		self.service->closed(channel);
	self.channels--;
	ipc_channel_free(&channel);
	service_check_idle();
}

static void
on_stranger_closed(struct ipc_channel *channel, void *argument)
{
	struct stranger *stranger = argument;

	LIST_REMOVE(stranger, next);
	free(stranger);
	on_closed(channel, NULL);
}

/* A user's process. Whoever holds connections in vain holds them from himself. */
static void
welcome_stranger(int fd)
{
	uid_t uid = ipc_peer_uid(fd);
	struct stranger *stranger;
	int held = 0;

	LIST_FOREACH(stranger, &self.strangers, next)
		held += stranger->uid == uid;
	if (self.service->nudged == NULL || held >= STRANGER_MOST) {
		log_warning("%s: a connection of uid %ld is refused: %s",
		    service_name, (long)uid, self.service->nudged == NULL ?
		    "he is a stranger here" : "he has too many");
		fd_close(&fd);
		return;
	}
	stranger = mem_zalloc(1, sizeof(*stranger));
	stranger->uid = uid;
	LIST_INSERT_HEAD(&self.strangers, stranger, next);
	self.channels++;
	ipc_channel_new(service_base, &fd, on_stranger, on_stranger_closed,
	    stranger);
}

static void
welcome(int fd, const struct sockaddr_storage *peer)
{
	if (self.sockets.is_stream) {
		self.service->connected(fd, peer);
		return;
	}

	if (!ipc_peer_is_ours(fd)) {
		welcome_stranger(fd);
		return;
	}
	self.channels++;
	ipc_channel_new(service_base, &fd, on_packet, on_closed, NULL);
}

static void
listen_again(int fd, short what, void *argument)
{
	for (int i = 0; i < self.sockets.count; i++)
		event_add(self.listeners[i], NULL);
}

static void
pause_accepting(void)
{
	const struct timeval pause = { 0, ACCEPT_PAUSE_MS * 1000 };

	log_warning("%s: cannot accept a connection: %m; "
	    "raise the limit of descriptors (LimitNOFILE)", service_name);
	for (int i = 0; i < self.sockets.count; i++)
		event_del(self.listeners[i]);
	event_add(self.accept_again, &pause);
}

static void
on_listener(int fd, short what, void *argument)
{
	touch_idle_timer();
	for (int i = 0; i < ACCEPTS_AT_ONCE && !self.leaving; i++) {
		struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
		socklen_t size = sizeof(peer);
		int client = accept4(fd, (struct sockaddr *)&peer, &size,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (client == -1) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM)
				pause_accepting();
			return;
		}
		welcome(client, &peer);
	}
}

static struct event *
make_event(int fd, short what, event_callback_fn act)
{
	struct event *event = event_new(service_base, fd, what, act, NULL);

	if (event == NULL)
		fatal("out of memory: cannot make an event");
	return event;
}

static void
watch_signals(void)
{
	self.term = make_event(SIGTERM, EV_SIGNAL | EV_PERSIST, on_term);
	self.hup = make_event(SIGHUP, EV_SIGNAL | EV_PERSIST, on_hup);
	event_add(self.term, NULL);
	event_add(self.hup, NULL);
}

static void
watch_sockets(void)
{
	self.accept_again = make_event(-1, 0, listen_again);
	self.idle = make_event(-1, 0, on_idle);
	self.lifeline = make_event(SERVICE_LIFELINE_FD, EV_READ | EV_PERSIST,
	    on_lifeline);
	event_add(self.lifeline, NULL);
	for (int i = 0; i < self.sockets.count; i++) {
		self.listeners[i] = make_event(self.sockets.fd[i],
		    EV_READ | EV_PERSIST, on_listener);
		event_add(self.listeners[i], NULL);
	}
}

int
service_events(const struct service *service, int argc, char **argv)
{
	/* start() and ready() may use the loop; the signals' socketpair comes before the sandbox closes. */
	service_base = event_base_new();
	if (service_base == NULL)
		fatal("cannot make an event loop: %m");
	self.service = service;
	watch_signals();
	service_begin(service, argc, argv, &self.sockets);
	if (strcmp(service->name, "proxymap") != 0)
		table_never_wait();
	self.on_demand = program_find(service->name)->on_demand;
	watch_sockets();
	touch_idle_timer();
	while (!event_base_got_exit(service_base)) {
		log_flush();
		if (event_base_loop(service_base, EVLOOP_ONCE) != 0)
			break;
	}
	log_flush();
	return 0;
}
