/* Whole lines out of the pipe and the socket. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "postlogd/postlogd.h"

#define CHUNK	65536

static volatile sig_atomic_t told_to_leave;

static void
on_hup(int number)
{
	told_to_leave = 1;
}

static void
take_line(char *line)
{
	struct record record;

	if (record_parse(line, &record) == 0)
		output_write(&record);
}

/* Hand on all whole lines; what is left is the beginning of one. */
static void
take_lines(struct text *text)
{
	char *line = text->bytes, *end;

	while ((end = memchr(line, '\n',
	    (size_t)(text->bytes + text->length - line))) != NULL) {
		*end = '\0';
		take_line(line);
		line = end + 1;
	}
	text_drop(text, (size_t)(line - text->bytes));
	if (text->length >= CHUNK)	/* no writer makes such lines */
		text_truncate(text, 0);
}

/* False at the end: no writer is left. */
static bool
read_pipe(int pipe, struct text *text)
{
	ssize_t n = read(pipe, text_reserve(text, CHUNK), CHUNK);

	if (n == -1)
		return errno == EINTR || errno == EAGAIN;
	text->length += (size_t)n;
	if (n > 0)
		take_lines(text);
	return n > 0;
}

static void
read_datagrams(int socket)
{
	char line[LOG_TEXT_MAX + 512];
	ssize_t n;

	while ((n = recv(socket, line, sizeof(line) - 1, MSG_DONTWAIT)) >= 0) {
		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		take_line(line);
	}
}

int
reader_run(int pipe, int socket)
{
	struct pollfd sources[] = { { pipe, POLLIN, 0 },
	    { socket, POLLIN, 0 } };
	struct text text = TEXT_EMPTY;
	sigset_t hup, none;

	sigemptyset(&none);
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hup, NULL);
	sigaction(SIGHUP, &(struct sigaction){ .sa_handler = on_hup }, NULL);
	signal(SIGPIPE, SIG_IGN);

	/* Told to leave, it leaves no half line to its successor. */
	while (!told_to_leave || text.length > 0) {
		if (ppoll(sources, COUNT_OF(sources), NULL, &none) == -1)
			continue;
		if (sources[1].revents != 0)
			read_datagrams(socket);
		if (sources[0].revents != 0 && !read_pipe(pipe, &text))
			break;
		output_flush();
	}
	output_flush();
	return 0;
}
