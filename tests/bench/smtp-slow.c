/*
 * smtp-slow - many SMTP clients that are in the middle of DATA, and slow
 *
 * Brings each session to "354", one after the other, says "ready" on
 * standard output, and then sends each of them a line a second for some
 * seconds. Tells how many were cut off. The content never ends: nothing is
 * delivered.
 */

#include <sys/socket.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

#define TICKS	50	/* a second; at each of them another part of the sessions sends */

static struct {
	int	 sessions, octets, seconds;
	const char *to;
} options = { 1000, 1024, 30, "ada@example.org" };

static struct sockaddr_in server;
static int *lines;
static int broken;
static volatile sig_atomic_t stopped;

/* Read until a line that begins with these three digits and a space. */
static void
expect(int fd, const char *code)
{
	char text[4096];
	size_t used = 0;

	for (;;) {
		ssize_t n = read(fd, text + used, sizeof(text) - 1 - used);

		if (n <= 0)
			errx(1, "wanted %s, seen: %.*s", code, (int)used, text);
		used += n;
		text[used] = '\0';

		char *last = text[used - 1] == '\n' ? text + used - 1 : NULL;

		while (last != NULL && last > text && last[-1] != '\n')
			last--;
		if (last == NULL || last[3] == '-')
			continue;
		if (strncmp(last, code, 3) != 0)
			errx(1, "wanted %s, seen: %s", code, last);
		return;
	}
}

static void
say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err(1, "write");
}

static int
begin(void)
{
	char *recipient = mem_printf("RCPT TO:<%s>\r\n", options.to);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&server, sizeof(server)) == -1)
		err(1, "connect");
	expect(fd, "220");
	say(fd, "EHLO slow.example.net\r\n");
	expect(fd, "250");
	say(fd, "MAIL FROM:<slow@example.net>\r\n");
	expect(fd, "250");
	say(fd, recipient);
	expect(fd, "250");
	say(fd, "DATA\r\n");
	expect(fd, "354");
	free(recipient);
	return fd;
}

static void
send_line(int *fd, const char *line)
{
	if (*fd == -1 || send(*fd, line, options.octets,
	    MSG_DONTWAIT | MSG_NOSIGNAL) != -1 || errno == EAGAIN)
		return;
	fd_close(fd);
	broken++;
}

static void
on_signal(int signal)
{
	stopped = 1;
}

/* Without catching up: a sender that was held up is slower still. */
static void
trickle(void)
{
	const struct timespec tick = { 0, 1000000000 / TICKS };
	char *line = mem_alloc(options.octets);

	memset(line, 'x', options.octets);
	memcpy(line + options.octets - 2, "\r\n", 2);
	for (int now = 0; now < options.seconds * TICKS && !stopped; now++) {
		for (int i = now % TICKS; i < options.sessions; i += TICKS)
			send_line(&lines[i], line);
		nanosleep(&tick, NULL);
	}
	free(line);
}

int
main(int argc, char **argv)
{
	char *colon;
	int letter;

	while ((letter = getopt(argc, argv, "b:n:s:t:")) != -1) {
		switch (letter) {
		case 'b': options.octets = atoi(optarg); break;
		case 'n': options.seconds = atoi(optarg); break;
		case 's': options.sessions = atoi(optarg); break;
		case 't': options.to = optarg; break;
		default: optind = argc; break;
		}
	}
	if (optind != argc - 1 || options.octets < 3 ||
	    (colon = strrchr(argv[optind], ':')) == NULL)
		errx(64, "usage: smtp-slow [-s sessions] [-b octets a second] [-n seconds] [-t to] address:port");
	*colon = '\0';
	server.sin_family = AF_INET;
	server.sin_port = htons(atoi(colon + 1));
	if (inet_pton(AF_INET, argv[optind], &server.sin_addr) != 1)
		errx(64, "%s: not an IPv4 address", argv[optind]);
	signal(SIGTERM, on_signal);
	lines = mem_zalloc(options.sessions, sizeof(*lines));
	for (int i = 0; i < options.sessions; i++)
		lines[i] = begin();
	puts("ready");
	fflush(stdout);
	trickle();
	printf("%d of %d sessions were cut off\n", broken, options.sessions);
	return 0;
}
