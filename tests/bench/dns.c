/*
 * dns - ask a name server as fast as it answers
 *
 *	dns ADDRESS PORT FILE SECONDS WINDOW [tcp]
 *	dns floor PORT
 *
 * FILE has a question a line, "name type"; they are asked in turn, WINDOW at
 * a time in flight over one socket each for SOCKETS clients, in batches with
 * sendmmsg(2) and recvmmsg(2), or over connections that stay, so that the
 * generator costs less than the server. What is lost is asked again after a
 * while. Prints one line: answers, seconds, answers a second, answers that
 * were errors.
 *
 * The second form is the server that does nothing but send each question
 * back as if it were an answer: what the system calls alone cost.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "dns/dns.h"

#define BATCH	64
#define SOCKETS	8
#define LOST_MS	200

struct question {
	uint8_t	frame[2];	/* the length, as TCP has it before the octets */
	uint8_t	octets[DNS_HEADER_SIZE + DNS_NAME_MAX + 4];
	size_t	length;
};

/* Octets of a connection that do not make a whole answer yet. */
struct stream {
	uint8_t	bytes[65536 + 2];
	size_t	length;
};

static struct question *questions;
static size_t question_count, next_question;
static unsigned long answers, failures;

static void
read_questions(const char *path)
{
	char line[1100], name[1024], type[32];
	FILE *file = fopen(path, "r");

	if (file == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file) != NULL) {
		struct dns_name wire;
		struct question *q;
		const char *why;

		if (sscanf(line, "%1023s %31s", name, type) != 2 ||
		    dns_name_parse(&wire, name, strlen(name), NULL, &why) == -1)
			errx(1, "%s: bad line: %s", path, line);
		if (question_count % 1024 == 0)
			questions = mem_resize(questions, question_count + 1024,
			    sizeof(*questions));
		q = &questions[question_count++];
		memset(q, 0, sizeof(*q));
		q->octets[5] = 1;
		memcpy(q->octets + DNS_HEADER_SIZE, wire.bytes, wire.length);
		dns_put16(q->octets + DNS_HEADER_SIZE + wire.length,
		    dns_type_parse(type, strlen(type)));
		dns_put16(q->octets + DNS_HEADER_SIZE + wire.length + 2,
		    DNS_CLASS_IN);
		q->length = DNS_HEADER_SIZE + wire.length + 4;
		dns_put16(q->frame, q->length);
	}
	fclose(file);
	if (question_count == 0)
		errx(1, "%s: no questions", path);
}

static int
ask(int fd, int count)
{
	static struct mmsghdr messages[BATCH];
	static struct iovec iov[BATCH];
	int sent;

	for (int i = 0; i < count; i++) {
		struct question *q = &questions[next_question];

		next_question = (next_question + 1) % question_count;
		iov[i] = (struct iovec) { q->octets, q->length };
		messages[i].msg_hdr.msg_iov = &iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(fd, messages, count, MSG_DONTWAIT);
	return sent > 0 ? sent : 0;
}

static int
hear(int fd)
{
	static struct mmsghdr messages[BATCH];
	static struct iovec iov[BATCH];
	static uint8_t octets[BATCH][4096];
	int count;

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec) { octets[i], sizeof(octets[i]) };
		messages[i].msg_hdr.msg_iov = &iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++)
		if ((octets[i][3] & DNS_RCODE) != 0 &&
		    (octets[i][3] & DNS_RCODE) != DNS_NXDOMAIN)
			failures++;
	return count > 0 ? count : 0;
}

/* So many questions in one write. */
static int
ask_stream(int fd, int count)
{
	static uint8_t octets[BATCH * sizeof(struct question)];
	size_t length = 0;

	for (int i = 0; i < count; i++) {
		struct question *q = &questions[next_question];

		next_question = (next_question + 1) % question_count;
		memcpy(octets + length, q->frame, 2 + q->length);
		length += 2 + q->length;
	}
	if (send(fd, octets, length, MSG_NOSIGNAL) != (ssize_t)length)
		err(1, "send");
	return count;
}

/* Whole answers that have come. */
static int
hear_stream(int fd, struct stream *s)
{
	ssize_t got = recv(fd, s->bytes + s->length,
	    sizeof(s->bytes) - s->length, MSG_DONTWAIT);
	size_t at = 0;
	int count = 0;

	if (got == 0)
		errx(1, "the server closed a connection");
	if (got < 0)
		return 0;
	s->length += got;
	while (s->length - at >= 2 &&
	    s->length - at - 2 >= dns_get16(s->bytes + at)) {
		if ((s->bytes[at + 5] & DNS_RCODE) != 0 &&
		    (s->bytes[at + 5] & DNS_RCODE) != DNS_NXDOMAIN)
			failures++;
		at += 2 + dns_get16(s->bytes + at);
		count++;
	}
	s->length -= at;
	memmove(s->bytes, s->bytes + at, s->length);
	return count;
}

static int
connect_to(const char *address, int port, bool tcp)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_port = htons(port) };
	int fd = socket(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	int size = 4 << 20, one = 1;

	inet_pton(AF_INET, address, &to.sin_addr);
	if (tcp)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	else
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1)
		err(1, "connect");
	return fd;
}

static void
drive(struct pollfd *clients, int window, int64_t until_us)
{
	int in_flight[SOCKETS] = { 0 };
	int64_t heard_ms[SOCKETS] = { 0 };

	while (clock_us() < until_us) {
		int64_t now = clock_ms();

		for (int i = 0; i < SOCKETS; i++) {
			int count = hear(clients[i].fd);

			answers += count;
			in_flight[i] -= count;
			if (count > 0)
				heard_ms[i] = now;
			else if (now - heard_ms[i] > LOST_MS)
				in_flight[i] = 0;
			if (in_flight[i] < 0)
				in_flight[i] = 0;
			while (in_flight[i] < window) {
				int room = window - in_flight[i];
				int sent = ask(clients[i].fd, room < BATCH ?
				    room : BATCH);

				if (sent == 0)
					break;
				in_flight[i] += sent;
			}
		}
		poll(clients, SOCKETS, 1);
	}
}

static void
drive_streams(struct pollfd *clients, int window, int64_t until_us)
{
	static struct stream streams[SOCKETS];

	for (int i = 0; i < SOCKETS; i++)
		ask_stream(clients[i].fd, window);
	while (clock_us() < until_us) {
		poll(clients, SOCKETS, 100);
		for (int i = 0; i < SOCKETS; i++) {
			int count = clients[i].revents == 0 ? 0 :
			    hear_stream(clients[i].fd, &streams[i]);

			answers += count;
			if (count > 0)
				ask_stream(clients[i].fd, count);
		}
	}
}

/* The bare server */

static int
listen_on(int port, int type)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, type, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1)
		err(1, "bind");
	if (type == SOCK_STREAM && listen(fd, 128) == -1)
		err(1, "listen");
	return fd;
}

static void
return_datagrams(int fd)
{
	static struct mmsghdr messages[BATCH];
	static struct iovec iov[BATCH];
	static struct sockaddr_in from[BATCH];
	static uint8_t octets[BATCH][4096];
	int count;

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec) { octets[i], sizeof(octets[i]) };
		messages[i].msg_hdr = (struct msghdr) { .msg_iov = &iov[i],
		    .msg_iovlen = 1, .msg_name = &from[i],
		    .msg_namelen = sizeof(from[i]) };
	}
	count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++) {
		octets[i][2] |= 0x80;
		iov[i].iov_len = messages[i].msg_len;
	}
	if (count > 0)
		sendmmsg(fd, messages, count, 0);
}

/* Questions come whole: the generator writes them so. */
static void
return_stream(int fd)
{
	static uint8_t octets[65536];
	ssize_t length = recv(fd, octets, sizeof(octets), MSG_DONTWAIT);

	for (ssize_t at = 0; at + 4 < length; at += 2 + dns_get16(octets + at))
		octets[at + 4] |= 0x80;
	if (length <= 0)
		close(fd);
	else if (send(fd, octets, length, MSG_NOSIGNAL) == -1)
		close(fd);
}

static void
run_floor(int port)
{
	int udp = listen_on(port, SOCK_DGRAM);
	int tcp = listen_on(port, SOCK_STREAM), epoll = epoll_create1(0);
	struct epoll_event event = { EPOLLIN, { .fd = udp } }, events[64];

	epoll_ctl(epoll, EPOLL_CTL_ADD, udp, &event);
	event.data.fd = tcp;
	epoll_ctl(epoll, EPOLL_CTL_ADD, tcp, &event);
	for (;;) {
		int count = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd == udp)
				return_datagrams(fd);
			else if (fd != tcp)
				return_stream(fd);
			else if ((event.data.fd = accept(tcp, NULL, NULL)) != -1)
				epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd,
				    &event);
		}
	}
}

int
main(int argc, char **argv)
{
	struct pollfd clients[SOCKETS];
	int64_t start, until;
	double seconds;
	bool tcp = argc == 7 && strcmp(argv[6], "tcp") == 0;

	if (argc == 3 && strcmp(argv[1], "floor") == 0)
		run_floor(atoi(argv[2]));
	if (argc != 6 && !tcp)
		errx(1, "usage: dns ADDRESS PORT FILE SECONDS WINDOW [tcp]");
	read_questions(argv[3]);
	for (int i = 0; i < SOCKETS; i++)
		clients[i] = (struct pollfd) { connect_to(argv[1],
		    atoi(argv[2]), tcp), POLLIN, 0 };
	start = clock_us();
	until = start + (int64_t)(atof(argv[4]) * 1e6);
	(tcp ? drive_streams : drive)(clients, atoi(argv[5]), until);
	seconds = (double)(clock_us() - start) / 1e6;
	printf("%lu answers %.3f seconds %.0f per_second %lu failures\n",
	    answers, seconds, (double)answers / seconds, failures);
	return 0;
}
