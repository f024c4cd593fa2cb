/*
 * Whole lines out of the pipe and the socket.
 *
 * Daemons write their lines when they next wait, so the lines about one
 * message come in the order in which its posts went to sleep. Each carries
 * its time: what the pipe gathers within SETTLE_MS is written in that order.
 * Until then it stays in the pipe, where it survives us.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "postlogd/postlogd.h"

#define CHUNK		(1 << 20)	/* all that the pipe can hold */
#define SETTLE_MS	20

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

static int
compare_records(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	if (x->time_us != y->time_us)
		return x->time_us < y->time_us ? -1 : 1;
	return x->text < y->text ? -1 : 1;	/* as they came */
}

static size_t
count_lines(const struct text *text)
{
	size_t count = 0;

	for (size_t i = 0; i < text->length; i++)
		count += text->bytes[i] == '\n';
	return count;
}

/* Hand on all whole lines, the oldest first; what is left is the beginning of one. */
static void
take_lines(struct text *text)
{
	struct record *records = mem_zalloc(count_lines(text), sizeof(*records));
	char *line = text->bytes, *end;
	size_t count = 0;

	while ((end = memchr(line, '\n',
	    (size_t)(text->bytes + text->length - line))) != NULL) {
		*end = '\0';
		if (record_parse(line, &records[count]) == 0)
			count++;
		line = end + 1;
	}
	if (count > 1)
		qsort(records, count, sizeof(*records), compare_records);
	for (size_t i = 0; i < count; i++)
		output_write(&records[i]);
	free(records);
	text_drop(text, (size_t)(line - text->bytes));
	if (text->length >= CHUNK / 2)	/* no writer makes such lines */
		text_truncate(text, 0);
}

static void
let_settle(void)
{
	const struct timespec pause = { 0, SETTLE_MS * 1000000 };

	if (!told_to_leave)
		nanosleep(&pause, NULL);
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
	signal(SIGXFSZ, SIG_IGN);

	/* Told to leave, it leaves no half line to its successor. */
	while (!told_to_leave || text.length > 0) {
		if (ppoll(sources, COUNT_OF(sources), NULL, &none) == -1)
			continue;
		if (sources[1].revents != 0)
			read_datagrams(socket);
		if (sources[0].revents & POLLIN)
			let_settle();
		if (sources[0].revents != 0 && !read_pipe(pipe, &text))
			break;
		output_flush();
	}
	output_flush();
	return 0;
}
