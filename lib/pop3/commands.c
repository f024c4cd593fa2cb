/*
 * commands - what a client may ask of its Maildir (RFC 1939 sections 5 and 6)
 */

#include "pop3/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message/dot.h"

/* A number at the beginning of *argument, which moves behind it. False and a reply if there is none. */
static bool
parse_number(struct session *s, const char **argument, const char *name,
    unsigned long long *number)
{
	const char *p = *argument;

	while (*p == ' ')
		p++;

	size_t digits = strspn(p, "0123456789");

	if (digits == 0 || digits > 18) {
		pop3_bad(s, "Invalid %s: %s", name, p);
		return false;
	}
	*number = strtoull(p, NULL, 10);
	*argument = p + digits;
	return true;
}

static bool
no_noise(struct session *s, const char *argument, const char *name)
{
	if (*argument == '\0')
		return true;
	pop3_bad(s, "Noise after %s: %s", name, argument);
	return false;
}

/* A message number that means one that is there, as an index in *n. */
static bool
parse_message(struct session *s, const char **argument, size_t *n)
{
	unsigned long long number;

	if (!parse_number(s, argument, "message number", &number))
		return false;
	if (number == 0 || number > s->count) {
		pop3_bad(s, "There's no message %llu.", number);
		return false;
	}
	*n = (size_t)number - 1;
	if (mailbox_is_marked(s->mailbox, *n)) {
		pop3_bad(s, "Message is deleted.");
		return false;
	}
	return true;
}

/* The command's only argument is a message. */
static bool
sole_message(struct session *s, const char *argument, size_t *n)
{
	return parse_message(s, &argument, n)
	    && no_noise(s, argument, "message number");
}

/* What has vanished keeps its number and counts nothing. */
static long long
size_of(struct session *s, size_t n)
{
	off_t size = mailbox_message_size(s->mailbox, n);

	return size > 0 ? (long long)size : 0;
}

static void
do_stat(struct session *s, const char *argument)
{
	unsigned long long size = 0;

	for (size_t i = 0; i < s->count; i++)
		if (!mailbox_is_marked(s->mailbox, i))
			size += (unsigned long long)size_of(s, i);
	pop3_reply(s, "+OK %zu %llu", s->count - s->deleted, size);
}

static void
do_list(struct session *s, const char *argument)
{
	size_t n;

	if (argument[0] != '\0') {
		if (sole_message(s, argument, &n))
			pop3_reply(s, "+OK %zu %lld", n + 1, size_of(s, n));
		return;
	}
	pop3_reply(s, "+OK %zu messages:", s->count - s->deleted);
	for (size_t i = 0; i < s->count && !s->is_over; i++)
		if (!mailbox_is_marked(s->mailbox, i))
			pop3_reply(s, "%zu %lld", i + 1, size_of(s, i));
	pop3_reply(s, ".");
}

static void
do_uidl(struct session *s, const char *argument)
{
	size_t n;

	if (argument[0] != '\0') {
		if (sole_message(s, argument, &n))
			pop3_reply(s, "+OK %zu %s", n + 1, mailbox_unique_id(s->mailbox, n));
		return;
	}
	pop3_reply(s, "+OK");
	for (size_t i = 0; i < s->count && !s->is_over; i++)
		if (!mailbox_is_marked(s->mailbox, i))
			pop3_reply(s, "%zu %s", i + 1, mailbox_unique_id(s->mailbox, i));
	pop3_reply(s, ".");
}

/* Send the message, or with top a part of it; *octets grows by what went out. False: not there. */
static bool
send_message(struct session *s, size_t n, struct pop3_top *top,
    unsigned long long *octets)
{
	struct dot_writer writer = { .keep_cr = true };
	int fd = mailbox_message_open(s->mailbox, n);
	char buffer[OUTPUT_SIZE];
	ssize_t got, total = 0;

	if (fd == -1) {
		pop3_reply(s, errno == ENOENT ? "-ERR Message %zu expunged."
		    : "-ERR [SYS/TEMP] Message %zu cannot be read.", n + 1);
		return false;
	}
	if (top == NULL)
		pop3_reply(s, "+OK %lld octets", size_of(s, n));
	else
		pop3_reply(s, "+OK");
	while (!s->is_over && (got = read(fd, buffer, sizeof(buffer))) > 0) {
		size_t part = top == NULL ? (size_t)got
		    : pop3_top_take(top, buffer, (size_t)got);
		size_t before = s->output.length;

		dot_write(&writer, buffer, part, &s->output);
		*octets += s->output.length - before;
		total += got;
		if (s->output.length >= OUTPUT_SIZE)
			pop3_flush(s);
		if (part < (size_t)got)
			break;
	}
	/* An empty message is sent as one empty line, as mail readers know it. */
	if (total == 0)
		text_puts(&s->output, "\r\n");
	dot_write_finish(&writer, &s->output);
	fd_close(&fd);
	return true;
}

static void
do_retr(struct session *s, const char *argument)
{
	size_t n;

	if (sole_message(s, argument, &n))
		s->retrieved += send_message(s, n, NULL, &s->retrieved_bytes);
}

static void
do_top(struct session *s, const char *argument)
{
	unsigned long long lines;
	size_t n;

	if (parse_message(s, &argument, &n)
	    && parse_number(s, &argument, "line count", &lines)
	    && no_noise(s, argument, "line count"))
		s->topped += send_message(s, n,
		    &(struct pop3_top) { .lines_left = (long long)lines },
		    &s->topped_bytes);
}

static void
do_dele(struct session *s, const char *argument)
{
	size_t n;

	if (!sole_message(s, argument, &n))
		return;
	mailbox_mark(s->mailbox, n, true);
	s->deleted++;
	pop3_reply(s, "+OK Marked to be deleted.");
}

static void
do_rset(struct session *s, const char *argument)
{
	for (size_t i = 0; i < s->count; i++)
		mailbox_mark(s->mailbox, i, false);
	s->deleted = 0;
	pop3_reply(s, "+OK");
}

static void
do_noop(struct session *s, const char *argument)
{
	pop3_reply(s, "+OK");
}

static void
do_capa(struct session *s, const char *argument)
{
	text_puts(&s->output, pop3_capabilities(true));
}

/* RFC 1939 section 6: -ERR if a message that was marked could not be removed. */
static void
do_quit(struct session *s, const char *argument)
{
	size_t marked = s->deleted, left = mailbox_close(&s->mailbox);

	if (left > 0) {
		log_warning("pop3(%s): cannot remove %zu messages of %s: %m",
		    s->options->user, left, s->options->maildir);
		pop3_reply(s, "-ERR [SYS/TEMP] Some messages were not deleted.");
		s->deleted -= left;
	} else
		pop3_reply(s, "+OK Logging out%s.",
		    marked > 0 ? ", messages deleted" : "");
	pop3_flush(s);
	s->is_over = true;
	s->cause = "Disconnected: Logged out";
}

static const struct command {
	const char *keyword;
	void	 (*act)(struct session *s, const char *argument);
} commands[] = {
	{ "STAT",	do_stat },
	{ "LIST",	do_list },
	{ "UIDL",	do_uidl },
	{ "RETR",	do_retr },
	{ "TOP",	do_top },
	{ "DELE",	do_dele },
	{ "RSET",	do_rset },
	{ "NOOP",	do_noop },
	{ "CAPA",	do_capa },
	{ "QUIT",	do_quit },
};

void
pop3_obey(struct session *s, char *line, size_t length)
{
	struct pop3_command command;

	pop3_command_parse(line, length, &command);
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (strcmp(commands[i].keyword, command.keyword) == 0) {
			const char *argument = command.argument;

			commands[i].act(s, argument != NULL ? argument : "");
			return;
		}
	pop3_bad(s, "Unknown command: %s", command.keyword);
}
