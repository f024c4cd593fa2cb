/*
 * worker - the skeleton of a daemon that blocks on disks
 *
 * It waits for its connections, takes all requests that are there (a batch,
 * so that one flush can serve many), serves them, and waits again.
 */

#include "service/internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "service/programs.h"
#include "table/far.h"

enum { CONNECTIONS_MAX = 256, BATCH_DEFAULT = 64, BATCH_MAX = 512 };

/* What was left over is tried again this often. */
#define AGAIN_MS	20

/* A peer that takes no answers for this long is given up. */
#define REPLY_SECONDS	60

static struct {
	const struct service	*service;
	struct service_sockets	 sockets;
	struct service_request	 requests[BATCH_MAX];
	int			 connections[CONNECTIONS_MAX];
	size_t			 connection_count;
} worker;

static volatile sig_atomic_t leaving;

static void
on_signal(int signal)
{
	leaving = 1;
}

static void
forget_connection(size_t i)
{
	service_forget_aside(worker.connections[i]);
	fd_close(&worker.connections[i]);
	worker.connections[i] = worker.connections[--worker.connection_count];
}

static void
accept_connection(int listener)
{
	const struct timeval limit = { REPLY_SECONDS, 0 };
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd == -1) {
		if (errno == EMFILE || errno == ENFILE)
			log_warning("%s: cannot accept a connection: %m",
			    service_name);
		return;
	}
	if (worker.sockets.is_stream) {
		worker.service->serve_stream(fd);
		fd_close(&fd);
		return;
	}
	if (!ipc_peer_is_ours(fd)) {
		log_warning("%s: a process of a strange user connected; refused",
		    service_name);
		fd_close(&fd);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	worker.connections[worker.connection_count++] = fd;
}

/* Take the requests of one connection. False when it ended or broke the protocol. */
static bool
take_requests(int fd, size_t *count, size_t limit)
{
	while (*count < limit) {
		struct service_request *request = &worker.requests[*count];
		int got = ipc_receive(fd, &request->packet, false);

		if (got == 0)
			return false;
		if (got == -1) {
			if (errno == EAGAIN || errno == EWOULDBLOCK)
				return true;
			if (errno != ECONNRESET)
				log_warning("%s: bad packet from a brother "
				    "daemon: %m", service_name);
			return false;
		}

		struct ipc_nudge nudge;

		if (ipc_decode_nudge(&request->packet, &nudge) == 0) {
			if (worker.service->nudged != NULL)
				worker.service->nudged(nudge.what);
			continue;
		}
		request->connection = fd;
		(*count)++;
	}
	return true;
}

static void
serve_batch(size_t count)
{
	if (count == 0)
		return;
	worker.service->serve(worker.requests, count);
	for (size_t i = 0; i < count; i++)
		service_request_clear(&worker.requests[i]);
}

/* What was put aside, and need not wait any more. */
static void
serve_answered(void)
{
	size_t limit = worker.service->batch > 0 ? worker.service->batch :
	    BATCH_DEFAULT;
	size_t taken;

	while ((taken = service_take_answered(worker.requests, limit)) > 0)
		serve_batch(taken);
}

/* Every connection with something to say, from a different one first each time. */
static void
serve_connections(const struct pollfd *polled, size_t count)
{
	static size_t first;
	size_t limit = worker.service->batch > 0 ? worker.service->batch :
	    BATCH_DEFAULT;
	size_t taken = 0;
	bool ended[CONNECTIONS_MAX] = { false };

	first++;
	for (size_t n = 0; n < count; n++) {
		size_t i = (first + n) % count;

		if (polled[i].revents != 0)
			ended[i] = !take_requests(polled[i].fd, &taken, limit);
	}
	serve_batch(taken);
	for (size_t i = count; i-- > 0;) {
		if (ended[i])
			forget_connection(i);
	}
}

/* Leaving: what already lies in the sockets is still served; the rest the peers ask of somebody else. */
static void
drain(void)
{
	for (size_t i = 0; i < worker.connection_count; i++) {
		size_t taken = 0;

		take_requests(worker.connections[i], &taken, BATCH_MAX);
		serve_batch(taken);
	}
}

/* One round of waiting and serving. False when it is time to leave. */
static bool
work(bool on_demand)
{
	struct pollfd polled[SERVICE_SOCKETS_MAX + 3 + CONNECTIONS_MAX];
	size_t count = worker.connection_count;
	bool full = count == CONNECTIONS_MAX ||
	    (worker.service->exclusive && count > 0);
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		polled[n++] = (struct pollfd){ worker.connections[i], POLLIN, 0 };
	polled[n++] = (struct pollfd){ SERVICE_LIFELINE_FD, POLLIN, 0 };
	polled[n++] = (struct pollfd){ far_fd(), POLLIN, 0 };
	polled[n++] = (struct pollfd){ worker.service->watch != NULL ?
	    worker.service->watch() : -1, POLLIN, 0 };
	for (int i = 0; i < worker.sockets.count && !full; i++)
		polled[n++] = (struct pollfd){ worker.sockets.fd[i], POLLIN, 0 };

	log_flush();

	/* The signals come only here, so that none falls between the look and the wait. */
	const struct timespec idle = { config.max_idle, 0 };
	const struct timespec soon = { 0, AGAIN_MS * 1000000 };
	const struct timespec *limit = on_demand && count == 0 ? &idle : NULL;
	bool has_more = worker.service->has_more != NULL &&
	    worker.service->has_more();
	sigset_t none;

	sigemptyset(&none);

	int ready = ppoll(polled, n, has_more ? &soon : limit, &none);

	if (ready == 0)
		return has_more;
	if (ready == -1)
		return errno == EINTR;
	serve_connections(polled, count);
	if (polled[count].revents != 0)
		return false;
	if (polled[count + 1].revents != 0)
		far_receive();
	if (polled[count + 2].revents != 0)
		worker.service->watched();
	serve_answered();
	for (size_t i = count + 3; i < n; i++) {
		if (polled[i].revents != 0)
			accept_connection(polled[i].fd);
	}
	return true;
}

int
service_worker(const struct service *service, int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t signals;
	bool on_demand = program_find(service->name)->on_demand;

	worker.service = service;
	for (size_t i = 0; i < BATCH_MAX; i++)
		worker.requests[i].packet.fd = -1;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	service_begin(service, argc, argv, &worker.sockets);
	while (!leaving && work(on_demand))
		;
	drain();
	if (service->drain != NULL)
		service->drain();
	log_flush();
	return 0;
}

void
service_reject(struct service_request *request)
{
	if (request->connection != -1)
		shutdown(request->connection, SHUT_RDWR);
	request->connection = -1;
}

void
service_reply(struct service_request *request, struct ipc_packet *reply)
{
	/* Who took the packet numbers the answer himself. */
	if (request->packet.body.length > 0)
		ipc_packet_set_request(reply,
		    ipc_packet_request(&request->packet));
	if (request->connection != -1 &&
	    ipc_send(request->connection, reply) == -1) {
		if (errno != EPIPE && errno != ECONNRESET)
			log_warning("%s: cannot send an answer: %m; who asked "
			    "will ask again", service_name);
		/* He must not wait for what does not come. */
		service_reject(request);
	}
	ipc_packet_clear(reply);
}

void
service_reply_done(struct service_request *request, int error,
    const char *reason)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;

	ipc_encode_done(&reply, 0,
	    &(struct ipc_done){ .error = error, .reason = reason });
	service_reply(request, &reply);
}
