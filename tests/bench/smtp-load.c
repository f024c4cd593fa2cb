/*
 * smtp-load - many SMTP clients in one process, and how long each mail took
 *
 * Keeps a number of sessions busy until a number of messages has been
 * answered, and prints one line of figures. With -i it opens the sessions,
 * says EHLO in each, and holds them. The load and the server share the
 * machine, so this spends as little as it can: one event loop, one message
 * text for all, one buffer a session.
 */

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/base.h"

enum step { BANNER, EHLO, MAIL, RCPT, DATA, CONTENT, QUIT, STEPS };

struct session {
	struct event	*readable;
	int		 fd;
	enum step	 step;		/* whose reply we wait for */
	int		 sent;		/* messages on this connection */
	int		 number;	/* of the message under way */
	int		 recipients;	/* of it, that were named */
	int		 replies;	/* to them */
	int64_t		 began_us;	/* of the message under way */
	size_t		 used;
	char		 line[1024];
};

static struct {
	int		 sessions, messages, size, per_connection, hold, recipients;
	bool		 pipelining;
	bool		 whole;		/* a first message begins with its connection */
	bool		 leaves;	/* once it heard of its recipients: no DATA */
	const char	*from, *to;	/* to: addresses, commas between them */
} options = { 1, 1, 4096, 1, 0, 1, false, false, false, "load@example.net", "ada@example.org" };

static struct event_base *base;
static struct sockaddr_in server;
static struct text content;
static int64_t *latencies;		/* microseconds, one a message */
static int begun, answered, refused, broken, idle, open_sessions;

static void	session_start(struct session *s);

static void
say(struct session *s, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(s->fd, text, length);
		if (n > 0) {
			text += n;
			length -= n;
		} else if (errno == EAGAIN) {
			struct timeval wait = { 10, 0 };
			fd_set writable;
			FD_ZERO(&writable);
			FD_SET(s->fd, &writable);
			if (s->fd >= FD_SETSIZE || select(s->fd + 1, NULL, &writable, NULL, &wait) != 1)
				return;
		} else {
			return;		/* the reader sees the end */
		}
	}
}

static void
session_end(struct session *s)
{
	event_free(s->readable);
	close(s->fd);
	s->readable = NULL;
	s->fd = -1;
	open_sessions--;
	if (begun < options.messages && options.hold == 0)
		session_start(s);
	else if (open_sessions == 0)
		event_base_loopbreak(base);
}

/* The addresses of -t, one after the other for one message after the other. */
static void
put_address(const struct session *s, struct text *out)
{
	int commas = 0, wanted;
	const char *begin = options.to;

	for (const char *c = begin; *c != '\0'; c++)
		commas += *c == ',';
	for (wanted = s->number % (commas + 1); wanted > 0; wanted--)
		begin = strchr(begin, ',') + 1;

	const char *end = begin + strcspn(begin, ","), *mark = memchr(begin, '%', end - begin);

	if (mark == NULL) {
		text_append(out, begin, end - begin);
		return;
	}
	text_append(out, begin, mark - begin);
	text_printf(out, "%d", s->number + s->recipients);
	text_append(out, mark + 2, end - mark - 2);
}

/* The message's next recipient, or all of them where the server takes commands in advance. */
static void
put_recipients(struct session *s, struct text *out)
{
	do {
		text_puts(out, "RCPT TO:<");
		put_address(s, out);
		text_puts(out, ">\r\n");
		s->recipients++;
	} while (options.pipelining && s->recipients < options.recipients);
}

/* The next message of this connection, or QUIT when there is none. */
static void
next_message(struct session *s)
{
	struct text commands = TEXT_EMPTY;

	if (options.hold > 0) {
		s->step = QUIT;
		idle++;
		return;
	}
	if (begun == options.messages || (options.per_connection > 0 && s->sent == options.per_connection)) {
		s->step = QUIT;
		say(s, "QUIT\r\n", 6);
		return;
	}
	if (s->sent++ > 0 || !options.whole)
		s->began_us = clock_us();
	s->number = begun++;
	s->recipients = s->replies = 0;
	text_printf(&commands, "MAIL FROM:<%s>\r\n", options.from);
	if (options.pipelining) {
		put_recipients(s, &commands);
		if (!options.leaves)
			text_puts(&commands, "DATA\r\n");
	}
	s->step = MAIL;
	say(s, commands.bytes, commands.length);
	text_clear(&commands);
}

static void
message_done(struct session *s, bool accepted)
{
	if (!accepted)
		refused++;
	latencies[answered++] = clock_us() - s->began_us;
	next_message(s);
}

static void
say_next_recipient(struct session *s)
{
	struct text command = TEXT_EMPTY;

	put_recipients(s, &command);
	say(s, command.bytes, command.length);
	text_clear(&command);
}

/* The last line of a reply. False when the session has ended. */
static bool
on_reply(struct session *s, const char *line)
{
	bool good = line[0] == '2' || line[0] == '3';

	switch (s->step) {
	case BANNER:
		if (!good)
			break;
		s->step = EHLO;
		say(s, "EHLO load.example.net\r\n", 23);
		return true;
	case EHLO:
		if (!good)
			break;
		next_message(s);
		return true;
	case MAIL:
		s->step = RCPT;
		if (!options.pipelining)
			say_next_recipient(s);
		return true;
	case RCPT:
		if (++s->replies < options.recipients) {
			if (!options.pipelining)
				say_next_recipient(s);
			return true;
		}
		if (options.leaves) {
			message_done(s, good);
			return true;
		}
		s->step = DATA;
		if (!options.pipelining)
			say(s, "DATA\r\n", 6);
		return true;
	case DATA:
		if (line[0] == '3') {
			s->step = CONTENT;
			say(s, content.bytes, content.length);
			return true;
		}
		message_done(s, false);
		return true;
	case CONTENT:
		message_done(s, good);
		return true;
	default:
		session_end(s);
		return false;
	}
	broken++;
	session_end(s);
	return false;
}

static void
on_readable(int fd, short what, void *argument)
{
	struct session *s = argument;
	ssize_t n = read(fd, s->line + s->used, sizeof(s->line) - 1 - s->used);

	if (n <= 0) {
		if (n == -1 && errno == EAGAIN)
			return;
		if (s->step != QUIT) {
			broken++;
			if (s->step > EHLO)
				latencies[answered++] = clock_us() - s->began_us;
		}
		session_end(s);
		return;
	}
	s->used += n;
	s->line[s->used] = '\0';
	char *begin = s->line, *end;
	while ((end = memchr(begin, '\n', s->line + s->used - begin)) != NULL) {
		bool last = end - begin >= 4 && begin[3] != '-';
		char *line = begin;
		begin = end + 1;
		if (last && !on_reply(s, line))
			return;
	}
	s->used = s->line + s->used - begin;
	memmove(s->line, begin, s->used);
	if (s->used == sizeof(s->line) - 1)
		s->used = 0;
}

static void
session_start(struct session *s)
{
	int on = 1;

	memset(s, 0, sizeof(*s));
	s->began_us = clock_us();
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd == -1)
		err(1, "socket");
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(s->fd, (struct sockaddr *)&server, sizeof(server)) == -1 && errno != EINPROGRESS)
		err(1, "connect");
	s->step = BANNER;
	s->readable = event_new(base, s->fd, EV_READ | EV_PERSIST, on_readable, s);
	event_add(s->readable, NULL);
	open_sessions++;
}

static void
on_hold_over(int fd, short what, void *argument)
{
	event_base_loopbreak(base);
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double
percentile_ms(int percent)
{
	return answered == 0 ? 0 : latencies[(size_t)(answered - 1) * percent / 100] / 1e3;
}

static void
make_content(void)
{
	static const char line[] =
	    "A line of a message that is as long as such lines usually are in mail.\r\n";

	text_printf(&content, "From: <%s>\r\nTo: <%s>\r\nSubject: load\r\n\r\n", options.from, options.to);
	while (content.length + sizeof(line) - 1 < (size_t)options.size)
		text_append(&content, line, sizeof(line) - 1);
	text_append(&content, ".\r\n", 3);
}

static void
read_options(int argc, char **argv)
{
	char *colon;
	int letter;

	while ((letter = getopt(argc, argv, "c:f:i:l:m:pqr:s:t:w")) != -1) {
		switch (letter) {
		case 'c': options.per_connection = atoi(optarg); break;
		case 'f': options.from = optarg; break;
		case 'i': options.hold = atoi(optarg); break;
		case 'l': options.size = atoi(optarg); break;
		case 'm': options.messages = atoi(optarg); break;
		case 'p': options.pipelining = true; break;
		case 'q': options.leaves = true; break;
		case 'r': options.recipients = atoi(optarg); break;
		case 's': options.sessions = atoi(optarg); break;
		case 't': options.to = optarg; break;
		case 'w': options.whole = true; break;
		default: optind = argc; break;
		}
	}
	if (optind != argc - 1 || (colon = strrchr(argv[optind], ':')) == NULL || options.recipients < 1)
		errx(64, "usage: smtp-load [-p] [-q] [-w] [-s sessions] [-m messages] [-l size] [-c messages per connection]\n"
		    "    [-f from] [-t to[,to...], with %%d for a number] [-r recipients of a message]\n"
		    "    [-i seconds to hold idle] address:port");
	*colon = '\0';
	server.sin_family = AF_INET;
	server.sin_port = htons(atoi(colon + 1));
	if (inet_pton(AF_INET, argv[optind], &server.sin_addr) != 1)
		errx(64, "%s: not an IPv4 address", argv[optind]);
}

int
main(int argc, char **argv)
{
	struct session *sessions;
	int64_t started;
	double seconds;

	read_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	make_content();
	base = event_base_new();
	latencies = mem_zalloc(options.messages + options.sessions, sizeof(*latencies));
	sessions = mem_zalloc(options.sessions, sizeof(*sessions));
	started = clock_us();
	for (int i = 0; i < options.sessions; i++)
		session_start(&sessions[i]);
	if (options.hold > 0) {
		struct timeval hold = { options.hold, 0 };
		event_base_once(base, -1, EV_TIMEOUT, on_hold_over, NULL, &hold);
	}
	event_base_dispatch(base);
	seconds = (clock_us() - started) / 1e6;
	if (options.hold > 0) {
		printf("%d of %d sessions idle for %d s, %d broken\n", idle, options.sessions, options.hold, broken);
		return 0;
	}
	qsort(latencies, answered, sizeof(*latencies), compare);
	printf("%d messages in %.2f s: %.0f/s, %d refused, %d broken; ms: median %.1f, 99%% %.1f, most %.1f\n",
	    answered, seconds, answered / seconds, refused, broken,
	    percentile_ms(50), percentile_ms(99), percentile_ms(100));
	return broken > 0 || (refused > 0 && !options.leaves);
}
