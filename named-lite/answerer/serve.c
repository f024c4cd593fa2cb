/*
 * The loop. What comes by UDP is read, answered and sent in batches: one
 * system call for up to BATCH datagrams each way, and the questions of a
 * batch are all read before the first is answered, so that the memory that
 * they need is on its way.
 */

#include "named-lite/answerer/serve.h"

#include <sys/epoll.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "image/chain.h"
#include "named-lite/answerer/answer.h"
#include "named-lite/control.h"
#include "named-lite/counters.h"
#include "named-lite/report.h"
#include "named-lite/answerer/internal.h"
#include "named-lite/answerer/questions.h"
#include "named-lite/answerer/respond.h"
#include "sandbox/sandbox.h"

#define BATCH		64
#define BATCHES_MAX	16	/* of one socket, before the others have their turn */
#define QUESTION_MAX	2048	/* octets of a question by UDP; a longer one is cut, and FORMERR */
#define ANSWER_MAX	4096
#define EVENTS_MAX	256

/* An address that we listen on. */
struct listener {
	struct source udp;
	struct source tcp;
	union control_socket address;
};

static struct {
	struct mmsghdr in[BATCH], out[BATCH];
	struct iovec in_iov[BATCH], out_iov[BATCH];
	struct sockaddr_in6 from[BATCH];	/* the larger of the two families */
	uint8_t	 questions[BATCH][QUESTION_MAX];
	uint8_t	 answers[BATCH][ANSWER_MAX];
	struct question read[BATCH];
} batch;

_Atomic unsigned *serve_turn;

static struct server server = { .epoll = -1 };
static struct listener *listeners[CONTROL_ADDRESSES_MAX];

static void
prepare_batch(void)
{
	for (int i = 0; i < BATCH; i++) {
		batch.in_iov[i] = (struct iovec) { batch.questions[i],
		    QUESTION_MAX };
		batch.in[i].msg_hdr.msg_iov = &batch.in_iov[i];
		batch.in[i].msg_hdr.msg_iovlen = 1;
		batch.in[i].msg_hdr.msg_name = &batch.from[i];
		batch.out[i].msg_hdr.msg_iov = &batch.out_iov[i];
		batch.out[i].msg_hdr.msg_iovlen = 1;
	}
}

/* Answer those that were received; gives the number of answers. */
static int
answer_batch(const struct listener *listener, int received)
{
	int count = 0;

	counters->udp_questions += received;
	for (int i = 0; i < received; i++) {
		answer_read(&batch.read[i], &server.image, batch.questions[i],
		    batch.in[i].msg_len);
		batch.read[i].local = &listener->address.any;
	}
	for (int i = 0; i < received && server.logs_questions; i++)
		questions_log(&batch.read[i],
		    (const struct sockaddr *)&batch.from[i], false,
		    listener->udp.fd);
	for (int i = 0; i < received; i++) {
		const struct sockaddr *from =
		    (const struct sockaddr *)&batch.from[i];
		size_t length;

		/* Nothing can be sent to port 0, which is at the same place in both families. */
		if (batch.from[i].sin6_port == 0)
			continue;
		length = respond_concerns(&batch.read[i]) ?
		    respond_write(&server, &batch.read[i], from, NULL,
		    batch.answers[count], ANSWER_MAX) :
		    answer_write(&batch.read[i], &server.image, from, false,
		    batch.answers[count], ANSWER_MAX);
		if (length == 0)
			continue;
		counters_note_answer(batch.answers[count]);
		if (server.logs_refusals &&
		    (batch.answers[count][3] & DNS_RCODE) == DNS_REFUSED)
			questions_log_refusal(&batch.read[i], &server, from);
		batch.out_iov[count] = (struct iovec) { batch.answers[count],
		    length };
		batch.out[count].msg_hdr.msg_name = &batch.from[i];
		batch.out[count].msg_hdr.msg_namelen =
		    batch.in[i].msg_hdr.msg_namelen;
		count++;
	}
	return count;
}

/* A datagram that cannot be sent is left out, the others are. */
static void
send_batch(int fd, int count)
{
	for (int sent = 0; sent < count; ) {
		int result = sendmmsg(fd, batch.out + sent, count - sent, 0);

		if (result > 0)
			sent += result;
		else if (result == 0 || errno != EINTR)
			sent++;
	}
}

static void
on_datagrams(struct listener *listener)
{
	int fd = listener->udp.fd, received = BATCH;

	for (int i = 0; i < BATCHES_MAX && received == BATCH; i++) {
		for (int n = 0; n < BATCH; n++)
			batch.in[n].msg_hdr.msg_namelen =
			    sizeof(batch.from[n]);
		received = recvmmsg(fd, batch.in, BATCH, MSG_DONTWAIT,
		    NULL);
		serve_keep_up();
		if (received > 0)
			send_batch(fd, answer_batch(listener, received));
	}
}

static void
watch(struct source *source, int fd,
    void (*on_event)(struct source *, uint32_t))
{
	struct epoll_event event = { EPOLLIN, { .ptr = source } };

	source->fd = fd;
	source->on_event = on_event;
	if (epoll_ctl(server.epoll, EPOLL_CTL_ADD, fd, &event) == -1)
		log_warning("cannot watch a socket: %m");
}

static void
on_udp(struct source *source, uint32_t events)
{
	/* The first of its listener. */
	on_datagrams((struct listener *)source);
}

static void
on_listening(struct source *source, uint32_t events)
{
	tcp_accept(&server, source->fd);
}

static union control_socket
local_address(int fd)
{
	union control_socket address;
	socklen_t length = sizeof(address);

	memset(&address, 0, sizeof(address));
	(void)getsockname(fd, &address.any, &length);
	return address;
}

static void
listen_to(unsigned number, const int *fds)
{
	struct listener *listener = mem_zalloc(1, sizeof(*listener));

	listener->address = local_address(fds[0]);
	watch(&listener->udp, fds[0], on_udp);
	watch(&listener->tcp, fds[1], on_listening);
	listeners[number] = listener;
}

/* Whatever has arrived there is answered first. */
static void
forget(unsigned number)
{
	struct listener *listener = listeners[number];

	if (listener == NULL)
		return;
	on_datagrams(listener);
	/* The supervisor has these sockets too, so that closing does not end the watch. */
	epoll_ctl(server.epoll, EPOLL_CTL_DEL, listener->udp.fd, NULL);
	epoll_ctl(server.epoll, EPOLL_CTL_DEL, listener->tcp.fd, NULL);
	fd_close(&listener->udp.fd);
	fd_close(&listener->tcp.fd);
	free(listener);
	listeners[number] = NULL;
}

struct generation *
generation_hold(struct generation *generation)
{
	generation->users++;
	return generation;
}

void
generation_release(struct generation **generation)
{
	struct generation *old = *generation;

	*generation = NULL;
	if (old == NULL || --old->users > 0)
		return;
	image_unmap(&old->image);
	plan_unmap(&old->plan);
	history_unmap(&old->history);
	free(old);
}

static void
use_next(void)
{
	generation_release(&server.current);
	server.current = server.next;
	server.turn = server.next_turn;
	server.image = server.current->image;
	server.logs_refusals = questions_are_told(&server.current->plan);
	server.next = NULL;
}

static void
keep_files(int fds[CONTROL_FILES], unsigned turn)
{
	struct generation *new = mem_zalloc(1, sizeof(*new));

	new->users = 1;
	if (image_map(&new->image, fds[CONTROL_FILE_IMAGE]) == -1 ||
	    plan_map(&new->plan, fds[CONTROL_FILE_PLAN]) == -1 ||
	    history_map(&new->history, fds[CONTROL_FILE_HISTORY]) == -1) {
		log_error("cannot map the image of the zones: %m");
		generation_release(&new);
	} else {
		if (server.next != NULL)
			use_next();	/* whose turn was before these were sent */
		server.next = new;
		server.next_turn = turn;
		if (server.current == NULL)
			use_next();
	}
	for (int i = 0; i < CONTROL_FILES; i++)
		fd_close(&fds[i]);
}

/* How many descriptors come with an order. */
static const int order_fds[CONTROL_KINDS] = { [CONTROL_LISTEN] = 2,
    [CONTROL_IMAGE] = CONTROL_FILES };

static void
on_control(struct source *source, uint32_t events)
{
	struct control_order order = { CONTROL_KINDS, 0 };
	int fds[CONTROL_FDS_MAX], fd_count;
	ssize_t length = control_receive(source->fd, &order, sizeof(order),
	    fds, &fd_count);

	if (length == -1 && errno == EINTR)
		return;
	if (!control_is_good(length, sizeof(order), fds, fd_count,
	    order.kind < CONTROL_KINDS ? order_fds[order.kind] : 0) ||
	    order.number >= CONTROL_ADDRESSES_MAX) {
		server.is_leaving = true;
		return;
	}
	switch (order.kind) {
	case CONTROL_LISTEN:
		forget(order.number);
		listen_to(order.number, fds);
		break;
	case CONTROL_FORGET:
		forget(order.number);
		break;
	case CONTROL_IMAGE:
		keep_files(fds, order.number);
		break;
	case CONTROL_TURN:
		serve_keep_up();
		break;
	case CONTROL_QUERYLOG:
		server.logs_questions = order.number != 0;
		break;
	case CONTROL_LOG:
		report_begin();
		break;
	case CONTROL_DEBUG:
		log_verbose = order.number;
		break;
	default:
		break;
	}
}

/*
 * Does an order come next that may be obeyed within a batch, as all may but
 * the one that closes sockets? Files may stand behind others.
 */
static bool
order_waits(void)
{
	struct control_order order;

	return recv(server.control->fd, &order, sizeof(order), MSG_PEEK |
	    MSG_DONTWAIT) == sizeof(order) && order.kind != CONTROL_FORGET;
}

/* Is there one, or their end? A batch may have taken what an event told of. */
static bool
has_order(void)
{
	char octet;

	return recv(server.control->fd, &octet, 1, MSG_PEEK |
	    MSG_DONTWAIT) != -1 || errno != EAGAIN;
}

void
serve_keep_up(void)
{
	unsigned turn = *serve_turn;

	while (turn != server.turn && !server.is_leaving) {
		if (server.next != NULL && server.next_turn == turn)
			use_next();
		else if (order_waits())
			on_control(server.control, 0);
		else
			return;
	}
}

/*
 * One image is always there before the first question: the supervisor sends
 * it first. An event whose source a previous one has removed cannot come
 * up: listeners go by the control socket alone, which is looked at last.
 */
static void
run(struct source *control)
{
	struct epoll_event events[EVENTS_MAX];

	while (!server.is_leaving) {
		bool ordered = false;
		int count;

		log_flush();
		count = epoll_wait(server.epoll, events, EVENTS_MAX,
		    tcp_expire(&server));
		server.now_ms = clock_ms();
		for (int i = 0; i < count; i++) {
			struct source *source = events[i].data.ptr;

			if (source == control)
				ordered = true;
			else if (source->fd != -1)
				source->on_event(source, events[i].events);
		}
		tcp_bury(&server);
		if (ordered && has_order())
			on_control(control, 0);
	}
	for (unsigned i = 0; i < CONTROL_ADDRESSES_MAX; i++)
		forget(i);
	tcp_stop(&server);
}

int
serve_run(int control_fd, int notices, int empty_root, unsigned number,
    const char *user)
{
	struct source control;
	const char *why;

	setproctitle("answering");
	server.notices = notices;
	counters_begin(number);
	server.processes = counters_processes();
	tzset();
	if (empty_root != -1 && fchdir(empty_root) == -1) {
		log_error("cannot enter an empty directory: %m");
		return EXIT_FAILURE;
	}
	fd_close(&empty_root);
	if (sandbox_become(user, ".", &why) == -1) {
		log_error("cannot %s (%s): %m", why, user);
		return EXIT_FAILURE;
	}
	server.epoll = epoll_create1(EPOLL_CLOEXEC);
	tcp_init(&server);
	if (chain_init() == -1)
		log_warning("there is no SHA-1: zones with NSEC3 fail");
	sandbox_enter("named-lite", 0, NULL);
	prepare_batch();
	server.now_ms = clock_ms();
	server.control = &control;
	watch(&control, control_fd, on_control);
	run(&control);
	log_flush();
	return EXIT_SUCCESS;
}
