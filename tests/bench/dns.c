/*
 * dns - ask a name server by UDP as fast as it answers
 *
 *	dns ADDRESS PORT FILE SECONDS WINDOW
 *
 * FILE has a question a line, "name type"; they are asked in turn, WINDOW at
 * a time in flight over one socket each for SOCKETS clients, in batches with
 * sendmmsg(2) and recvmmsg(2), so that the generator costs less than the
 * server. What is lost is asked again after a while. Prints one line:
 * answers, seconds, answers a second, answers that were errors.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
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
	uint8_t	octets[DNS_HEADER_SIZE + DNS_NAME_MAX + 4];
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

static int
connect_to(const char *address, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 4 << 20;

	inet_pton(AF_INET, address, &to.sin_addr);
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

int
main(int argc, char **argv)
{
	struct pollfd clients[SOCKETS];
	int64_t start;
	double seconds;

	if (argc != 6)
		errx(1, "usage: dns ADDRESS PORT FILE SECONDS WINDOW");
	read_questions(argv[3]);
	for (int i = 0; i < SOCKETS; i++)
		clients[i] = (struct pollfd) { connect_to(argv[1],
		    atoi(argv[2])), POLLIN, 0 };
	start = clock_us();
	drive(clients, atoi(argv[5]), start + (int64_t)(atof(argv[4]) * 1e6));
	seconds = (double)(clock_us() - start) / 1e6;
	printf("%lu answers %.3f seconds %.0f per_second %lu failures\n",
	    answers, seconds, (double)answers / seconds, failures);
	return 0;
}
