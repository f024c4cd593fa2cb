/*
 * pop3-load - many POP3 clients in one process
 *
 *	pop3-load [-c clients] [-n sessions] [-r messages] [-u user] [-w password] address port
 *
 * Each session is a connection: USER, PASS, STAT, -r times RETR, QUIT, each
 * command after the answer to the one before, as mail readers do. Prints one
 * line: sessions and messages a second, the time of a session, what failed.
 * A %d in the user's name is the client's number.
 */

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/base.h"

enum step { BANNER, USER, PASS, STAT, RETR, QUIT };

struct client {
	struct event *readable;
	int	 fd, number;
	enum step step;		/* whose answer we wait for */
	int	 retrieved;
	int64_t	 began_us;
	size_t	 held;
	char	 tail[8];	/* the last octets: does a message end here? */
	bool	 is_first;	/* of a message's answer */
};

static struct {
	int	 clients, sessions, messages;
	const char *user, *password;
} options = { 20, 1000, 0, "ada", "secret" };

static struct event_base *base;
static struct sockaddr_in server;
static int64_t *times_us;
static int begun, ended, failed;
static unsigned long long octets;

static void client_start(struct client *c);

static void
client_stop(struct client *c, bool well)
{
	event_free(c->readable);
	close(c->fd);
	failed += !well;
	times_us[ended++] = clock_us() - c->began_us;
	if (ended == options.sessions)
		event_base_loopbreak(base);
	else if (begun < options.sessions)
		client_start(c);
}

static void __attribute__((format(printf, 2, 3)))
say(struct client *c, const char *format, ...)
{
	char line[256];
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (write(c->fd, line, (size_t)length) == -1)
		warn("write");
}

static void
next_step(struct client *c)
{
	char user[100];

	switch (c->step) {
	case BANNER:
		snprintf(user, sizeof(user), options.user, c->number);
		say(c, "USER %s\r\n", user);
		c->step = USER;
		break;
	case USER:
		say(c, "PASS %s\r\n", options.password);
		c->step = PASS;
		break;
	case PASS:
		say(c, "STAT\r\n");
		c->step = STAT;
		break;
	case STAT:
	case RETR:
		if (c->retrieved < options.messages) {
			say(c, "RETR %d\r\n", ++c->retrieved);
			c->step = RETR;
			c->held = 0;
			c->is_first = true;
		} else {
			say(c, "QUIT\r\n");
			c->step = QUIT;
		}
		break;
	case QUIT:
		break;
	}
}

/* Has the answer come to its end? */
static bool
is_complete(struct client *c, const char *bytes, size_t length)
{
	size_t kept = length < 5 ? length : 5;

	if (c->held + kept > 5) {
		size_t drop = c->held + kept - 5;

		memmove(c->tail, c->tail + drop, c->held - drop);
		c->held -= drop;
	}
	memcpy(c->tail + c->held, bytes + length - kept, kept);
	c->held += kept;
	if (c->step == RETR)
		return c->held == 5 && memcmp(c->tail, "\r\n.\r\n", 5) == 0;
	return bytes[length - 1] == '\n';
}

static void
on_readable(int fd, short what, void *context)
{
	static char bytes[65536];
	struct client *c = context;
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n <= 0) {
		if (n == -1 && errno == EAGAIN)
			return;
		client_stop(c, c->step == QUIT && n == 0);
		return;
	}
	octets += (unsigned long long)n;
	if (bytes[0] == '-' && (c->step != RETR || c->is_first)) {
		warnx("%.*s", (int)n, bytes);
		client_stop(c, false);
		return;
	}
	c->is_first = false;
	if (!is_complete(c, bytes, (size_t)n))
		return;
	if (c->step == QUIT)
		client_stop(c, true);
	else
		next_step(c);
}

static void
client_start(struct client *c)
{
	const int on = 1;

	begun++;
	c->began_us = clock_us();
	c->step = BANNER;
	c->retrieved = 0;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd == -1 || connect(c->fd, (struct sockaddr *)&server, sizeof(server)) == -1)
		err(1, "connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fd_nonblocking(c->fd, true);
	c->readable = event_new(base, c->fd, EV_READ | EV_PERSIST, on_readable, c);
	event_add(c->readable, NULL);
}

static int
compare_times(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
read_options(int argc, char **argv)
{
	for (int option; (option = getopt(argc, argv, "c:n:r:u:w:")) != -1;) {
		switch (option) {
		case 'c':
			options.clients = atoi(optarg);
			break;
		case 'n':
			options.sessions = atoi(optarg);
			break;
		case 'r':
			options.messages = atoi(optarg);
			break;
		case 'u':
			options.user = optarg;
			break;
		case 'w':
			options.password = optarg;
			break;
		default:
			exit(64);
		}
	}
	if (argc - optind != 2)
		errx(64, "usage: pop3-load [-c clients] [-n sessions] [-r messages] "
		    "[-u user] [-w password] address port");
	server.sin_family = AF_INET;
	server.sin_port = htons((uint16_t)atoi(argv[optind + 1]));
	if (inet_pton(AF_INET, argv[optind], &server.sin_addr) != 1)
		errx(64, "%s is no IPv4 address", argv[optind]);
}

int
main(int argc, char **argv)
{
	read_options(argc, argv);
	base = event_base_new();
	times_us = mem_zalloc((size_t)options.sessions, sizeof(*times_us));

	struct client *clients = mem_zalloc((size_t)options.clients, sizeof(*clients));
	int64_t start_us = clock_us();

	for (int i = 0; i < options.clients && begun < options.sessions; i++) {
		clients[i].number = i;
		client_start(&clients[i]);
	}
	event_base_dispatch(base);

	double seconds = (double)(clock_us() - start_us) / 1e6;

	qsort(times_us, (size_t)ended, sizeof(*times_us), compare_times);
	printf("sessions=%d seconds=%.3f rate=%.1f messages_rate=%.1f mb_rate=%.1f "
	    "p50_ms=%.2f p99_ms=%.2f failed=%d\n", ended, seconds,
	    ended / seconds, ended * (double)options.messages / seconds,
	    (double)octets / 1e6 / seconds, (double)times_us[ended / 2] / 1e3,
	    (double)times_us[ended - 1 - ended / 100] / 1e3, failed);
	return failed > 0;
}
