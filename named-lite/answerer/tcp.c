/*
 * Questions by TCP (RFC 7766). All questions that have arrived together are
 * answered together and written at once. A client that does not read its
 * answers is not read from. Only a whole question, or a good piece of an
 * answer taken, counts as activity, so that nobody stays by sending or
 * taking an octet now and then.
 */

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "named-lite/answerer/answer.h"
#include "named-lite/answerer/questions.h"
#include "named-lite/answerer/respond.h"
#include "named-lite/answerer/tcp.h"
#include "named-lite/answerer/transfer.h"
#include "named-lite/counters.h"

#define READ_SIZE	16384
#define QUESTION_SIZE	(2 + DNS_MESSAGE_MAX)
#define OUT_MAX		(128 * 1024)	/* octets of answers; then reading stops */
#define PIECE		4096	/* octets taken of answers that count as activity */
#define WAITING_MAX	((size_t)64 << 20)	/* octets that all connections together may leave for later */

/* Of the connection that is looked at, so that one that keeps up needs no memory of its own. */
static struct {
	uint8_t	 in[QUESTION_SIZE + READ_SIZE];
	size_t	 in_length;
	uint8_t	 out[OUT_MAX + QUESTION_SIZE];
	size_t	 out_length;
} work;

static size_t waiting;		/* octets in all c->in and c->out */

static void
watch(struct connection *c, int operation, bool write)
{
	struct epoll_event event = { write ? EPOLLOUT : EPOLLIN,
	    { .ptr = &c->source } };

	c->waits_to_write = write;
	epoll_ctl(c->server->epoll, operation, c->source.fd, &event);
}

void
tcp_end(struct connection *c)
{
	if (c->source.fd == -1)
		return;
	fd_close(&c->source.fd);
	waiting -= c->in.length + c->out.length;
	text_clear(&c->in);
	text_clear(&c->out);
	transfer_end(&c->transfer);
	crowd_leave(c);
	counters_note_client(-1);
	TAILQ_INSERT_TAIL(&c->server->buried, c, link);
}

static void
load(struct connection *c)
{
	work.in_length = c->in.length;
	work.out_length = c->out.length;
	waiting -= c->in.length + c->out.length;
	if (c->in.length > 0)
		memcpy(work.in, c->in.bytes, c->in.length);
	if (c->out.length > 0)
		memcpy(work.out, c->out.bytes, c->out.length);
	text_clear(&c->in);
	text_clear(&c->out);
}

static void
store(struct connection *c)
{
	text_append(&c->in, work.in, work.in_length);
	text_append(&c->out, work.out, work.out_length);
	waiting += work.in_length + work.out_length;
	if (waiting > WAITING_MAX)
		tcp_end(c);
}

/* Drop the first octets. */
static void
drop(uint8_t *bytes, size_t *length, size_t octets)
{
	*length -= octets;
	memmove(bytes, bytes + octets, *length);
}

/* The answer to one question goes to the end of work.out. */
static void
answer_one(struct connection *c, const uint8_t *bytes, size_t length)
{
	static struct question question;
	const struct sockaddr *peer = (const struct sockaddr *)&c->peer;
	uint8_t *out = work.out + work.out_length;
	size_t written;

	answer_read(&question, &c->server->image, bytes, length);
	question.local = (const struct sockaddr *)&c->local;
	if (c->server->logs_questions)
		questions_log(&question, peer, true, c->source.fd);
	written = respond_concerns(&question) ?
	    respond_write(c->server, &question, peer, &c->transfer, out + 2,
	    DNS_MESSAGE_MAX) :
	    answer_write(&question, &c->server->image, peer, true, out + 2,
	    DNS_MESSAGE_MAX);
	counters->tcp_questions++;
	counters->transfers += c->transfer != NULL;
	if (written > 0) {
		counters_note_answer(out + 2);
		if (c->server->logs_refusals &&
		    (out[2 + 3] & DNS_RCODE) == DNS_REFUSED)
			questions_log_refusal(&question, c->server, peer);
		dns_put16(out, written);
		work.out_length += 2 + written;
	}
	if (question.verdict != DNS_DROP)
		crowd_note(c, c->crowd == CROWD_KEPT ||
		    question.query.wants_keepalive ? CROWD_KEPT : CROWD_IDLE);
}

/* Answer what is whole, as long as there is room for answers. True: there was something. */
static bool
answer_all(struct connection *c)
{
	size_t used = 0;

	while (c->transfer == NULL && work.in_length - used >= 2 &&
	    work.out_length < OUT_MAX) {
		const uint8_t *at = work.in + used;
		size_t length = dns_get16(at);

		if (work.in_length - used - 2 < length)
			break;
		answer_one(c, at + 2, length);
		used += 2 + length;
	}
	if (used > 0)
		drop(work.in, &work.in_length, used);
	return used > 0;
}

/* As much of a zone as there is room for. Questions behind it wait until it is over. False: the connection has ended. */
static bool
continue_transfer(struct connection *c)
{
	bool failed = false;

	while (c->transfer != NULL && work.out_length < OUT_MAX) {
		uint8_t *out = work.out + work.out_length;
		size_t length = transfer_next(c->transfer, out + 2, &failed);

		if (length == 0) {
			transfer_end(&c->transfer);
			break;
		}
		dns_put16(out, length);
		work.out_length += 2 + length;
	}
	if (failed)
		tcp_end(c);
	return !failed;
}

/* Write what waits. False: the connection has ended. */
static bool
write_out(struct connection *c)
{
	ssize_t written;

	if (work.out_length == 0)
		return true;
	written = send(c->source.fd, work.out, work.out_length,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
	if (written == -1 && errno != EAGAIN && errno != EINTR) {
		tcp_end(c);
		return false;
	}
	if (written > 0) {
		drop(work.out, &work.out_length, written);
		c->taken += written;
		if (c->taken >= PIECE)
			crowd_note(c, c->crowd);
	}
	return true;
}

/* Answer and write by turns until nothing is left or the client does not read. */
static void
advance(struct connection *c)
{
	bool more;

	do {
		more = work.out_length < OUT_MAX && answer_all(c);
		if (!continue_transfer(c) || !write_out(c))
			return;
	} while (work.out_length == 0 && (more || c->transfer != NULL));

	if (work.out_length == 0 && c->has_ended) {
		tcp_end(c);
		return;
	}
	if (c->waits_to_write != (work.out_length > 0)) {
		watch(c, EPOLL_CTL_MOD, work.out_length > 0);
		if (c->crowd != CROWD_KEPT)
			crowd_note(c, c->waits_to_write ? CROWD_STUCK :
			    CROWD_IDLE);
	}
	store(c);
}

static void
on_connection(struct source *source, uint32_t events)
{
	struct connection *c = (struct connection *)source;
	ssize_t length;

	load(c);
	if (!c->waits_to_write) {
		length = recv(source->fd, work.in + work.in_length,
		    sizeof(work.in) - work.in_length, MSG_DONTWAIT);
		if (length == -1 && errno != EAGAIN && errno != EINTR) {
			tcp_end(c);
			return;
		}
		if (length == 0)
			c->has_ended = true;
		if (length > 0)
			work.in_length += length;
	}
	serve_keep_up();
	advance(c);
}

void
tcp_start(struct connection *c)
{
	c->source.on_event = on_connection;
	watch(c, EPOLL_CTL_ADD, false);
}
