/*
 * smtp-sink - an SMTP server that takes everything, counts it, and can be slow
 *
 *	smtp-sink [-d MS] [-p] ADDRESS PORT
 *
 * -d delays every reply by MS milliseconds, -p offers no PIPELINING. Port 0
 * is any; the first line of output is "listening PORT". On SIGUSR1, and at its
 * end on SIGTERM, it prints "messages N connections N most N bytes N": all
 * messages, all connections, the most at once, and the bytes of content.
 */

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "base/base.h"
#include "message/dot.h"

struct session {
	struct bufferevent	*stream;
	struct event		*later;
	struct text		 replies;	/* that wait for their time */
	struct dot_reader	 content;
	bool			 in_content, quits;
};

static struct event_base *loop;
static struct timeval delay;
static bool offers_pipelining = true;
static long messages, connections, now_open, most_open, content_bytes;
static struct text scratch;

static void
end_session(struct session *session)
{
	now_open--;
	bufferevent_free(session->stream);
	event_free(session->later);
	text_clear(&session->replies);
	free(session);
}

static void
say(struct session *session, const char *reply)
{
	text_puts(&session->replies, reply);
	if (!evtimer_pending(session->later, NULL))
		evtimer_add(session->later, &delay);
}

static void
on_time(evutil_socket_t fd, short what, void *argument)
{
	struct session *session = argument;

	bufferevent_write(session->stream, session->replies.bytes,
	    session->replies.length);
	text_truncate(&session->replies, 0);
}

static void
on_command(struct session *session, const char *line)
{
	if (strncasecmp(line, "EHLO", 4) == 0) {
		say(session, "250-sink\r\n250-SIZE 100000000\r\n");
		if (offers_pipelining)
			say(session, "250-PIPELINING\r\n");
		say(session, "250 8BITMIME\r\n");
	} else if (strncasecmp(line, "DATA", 4) == 0) {
		say(session, "354 go ahead\r\n");
		session->in_content = true;
		dot_read_start(&session->content, false);
	} else if (strncasecmp(line, "QUIT", 4) == 0) {
		say(session, "221 bye\r\n");
		session->quits = true;
	} else {
		say(session, "250 ok\r\n");
	}
}

static void
read_content(struct session *session, struct evbuffer *in)
{
	size_t length = evbuffer_get_length(in);

	text_truncate(&scratch, 0);
	evbuffer_drain(in, dot_read(&session->content,
	    (char *)evbuffer_pullup(in, -1), length, &scratch));
	content_bytes += (long)scratch.length;
	if (session->content.ended) {
		session->in_content = false;
		messages++;
		say(session, "250 2.0.0 taken\r\n");
	}
}

static void
on_read(struct bufferevent *stream, void *argument)
{
	struct session *session = argument;
	struct evbuffer *in = bufferevent_get_input(stream);

	while (evbuffer_get_length(in) > 0) {
		if (session->in_content) {
			read_content(session, in);
			continue;
		}

		char *line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF);

		if (line == NULL)
			return;
		on_command(session, line);
		free(line);
	}
}

static void
on_end(struct bufferevent *stream, short what, void *argument)
{
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		end_session(argument);
}

static void
on_written(struct bufferevent *stream, void *argument)
{
	struct session *session = argument;

	if (session->quits && session->replies.length == 0)
		end_session(session);
}

static void
on_connection(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int size, void *argument)
{
	struct session *session = mem_zalloc(1, sizeof(*session));

	connections++;
	if (++now_open > most_open)
		most_open = now_open;
	session->stream = bufferevent_socket_new(loop, fd,
	    BEV_OPT_CLOSE_ON_FREE);
	session->later = evtimer_new(loop, on_time, session);
	bufferevent_setcb(session->stream, on_read, on_written, on_end,
	    session);
	bufferevent_enable(session->stream, EV_READ | EV_WRITE);
	say(session, "220 sink ESMTP\r\n");
}

static void
print_figures(void)
{
	printf("messages %ld connections %ld most %ld bytes %ld\n", messages,
	    connections, most_open, content_bytes);
	fflush(stdout);
}

static void
on_question(evutil_socket_t fd, short what, void *argument)
{
	print_figures();
}

static void
on_end_signal(evutil_socket_t fd, short what, void *argument)
{
	event_base_loopexit(loop, NULL);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct rlimit limit;
	socklen_t size = sizeof(address);
	int option;

	while ((option = getopt(argc, argv, "d:p")) != -1) {
		if (option == 'd')
			delay = (struct timeval){ atoi(optarg) / 1000,
			    atoi(optarg) % 1000 * 1000 };
		else if (option == 'p')
			offers_pipelining = false;
		else
			return 2;
	}
	if (argc - optind != 2 ||
	    inet_pton(AF_INET, argv[optind], &address.sin_addr) != 1)
		errx(2, "usage: smtp-sink [-d MS] [-p] ADDRESS PORT");
	address.sin_port = htons((uint16_t)atoi(argv[optind + 1]));
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	loop = event_base_new();

	struct evconnlistener *listener = evconnlistener_new_bind(loop,
	    on_connection, NULL, LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_FREE,
	    4096, (struct sockaddr *)&address, sizeof(address));

	if (listener == NULL)
		err(1, "listen on %s", argv[optind]);
	getsockname(evconnlistener_get_fd(listener),
	    (struct sockaddr *)&address, &size);
	printf("listening %d\n", ntohs(address.sin_port));
	fflush(stdout);
	event_add(evsignal_new(loop, SIGTERM, on_end_signal, NULL), NULL);
	event_add(evsignal_new(loop, SIGUSR1, on_question, NULL), NULL);
	event_base_dispatch(loop);
	print_figures();
	return 0;
}
