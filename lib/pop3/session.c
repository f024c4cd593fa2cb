/*
 * session - the transaction state of POP3: one process, one client, one Maildir
 *
 * The process already is the mailbox's user. It reads from top to bottom:
 * wait for a line, obey it, write. What a pipelining client asks in one go is
 * answered in one go. RFC 1939 sections 5 and 6.
 */

#include "pop3/pop3.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "mailbox/mailbox.h"
#include "message/dot.h"

#define OUTPUT_SIZE	65536
#define BAD_COMMANDS_MAX 21	/* the one after these ends the session */

struct session {
	const struct pop3_session_options *options;
	struct mailbox *mailbox;
	size_t	 count;
	off_t	 total;		/* octets of all messages, deleted ones too */
	struct pop3_input input;
	struct text output;
	int	 bad_commands;
	bool	 is_over;
	const char *cause;	/* of the end, for the log */
	unsigned long retrieved, topped, deleted;
	unsigned long long retrieved_bytes, topped_bytes;
};

/* Wait for the client, or for what ends the session. False: it is over. */
static bool
wait_for(struct session *s, short what)
{
	struct pollfd polled[] = {
		{ s->options->client, what, 0 },
		{ s->options->lifeline, POLLIN, 0 },
	};
	int ready;

	do
		ready = poll(polled, 2, s->options->idle_s * 1000);
	while (ready == -1 && errno == EINTR);
	if (ready > 0 && polled[1].revents == 0)
		return true;
	s->is_over = true;
	if (ready == 0) {
		static const char bye[] = "-ERR Disconnected for inactivity.\r\n";

		s->cause = "Disconnected for inactivity";
		send(s->options->client, bye, sizeof(bye) - 1,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	} else
		s->cause = "Server is shutting down";
	return false;
}

static void
connection_lost(struct session *s)
{
	s->is_over = true;
	s->cause = "Connection closed";
}

static void
flush(struct session *s)
{
	size_t done = 0;

	while (!s->is_over && done < s->output.length) {
		ssize_t n = send(s->options->client, s->output.bytes + done,
		    s->output.length - done, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			wait_for(s, POLLOUT);
		else if (errno != EINTR)
			connection_lost(s);
	}
	text_truncate(&s->output, 0);
}

static void __attribute__((format(printf, 2, 3)))
reply(struct session *s, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_vprintf(&s->output, format, arguments);
	va_end(arguments);
	text_puts(&s->output, "\r\n");
	if (s->output.length >= OUTPUT_SIZE)
		flush(s);
}

static void __attribute__((format(printf, 2, 3)))
bad(struct session *s, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	reply(s, "-ERR %s", text_printable(text));
	if (++s->bad_commands > BAD_COMMANDS_MAX) {
		reply(s, "-ERR Too many bad commands.");
		flush(s);
		s->is_over = true;
		s->cause = "Too many bad commands";
	}
}

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
		bad(s, "Invalid %s: %s", name, p);
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
	bad(s, "Noise after %s: %s", name, argument);
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
		bad(s, "There's no message %llu.", number);
		return false;
	}
	*n = (size_t)number - 1;
	if (mailbox_is_marked(s->mailbox, *n)) {
		bad(s, "Message is deleted.");
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
	reply(s, "+OK %zu %llu", s->count - s->deleted, size);
}

static void
do_list(struct session *s, const char *argument)
{
	size_t n;

	if (argument[0] != '\0') {
		if (sole_message(s, argument, &n))
			reply(s, "+OK %zu %lld", n + 1, size_of(s, n));
		return;
	}
	reply(s, "+OK %zu messages:", s->count - s->deleted);
	for (size_t i = 0; i < s->count && !s->is_over; i++)
		if (!mailbox_is_marked(s->mailbox, i))
			reply(s, "%zu %lld", i + 1, size_of(s, i));
	reply(s, ".");
}

static void
do_uidl(struct session *s, const char *argument)
{
	size_t n;

	if (argument[0] != '\0') {
		if (sole_message(s, argument, &n))
			reply(s, "+OK %zu %s", n + 1, mailbox_unique_id(s->mailbox, n));
		return;
	}
	reply(s, "+OK");
	for (size_t i = 0; i < s->count && !s->is_over; i++)
		if (!mailbox_is_marked(s->mailbox, i))
			reply(s, "%zu %s", i + 1, mailbox_unique_id(s->mailbox, i));
	reply(s, ".");
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
		reply(s, errno == ENOENT ? "-ERR Message %zu expunged."
		    : "-ERR [SYS/TEMP] Message %zu cannot be read.", n + 1);
		return false;
	}
	if (top == NULL)
		reply(s, "+OK %lld octets", size_of(s, n));
	else
		reply(s, "+OK");
	while (!s->is_over && (got = read(fd, buffer, sizeof(buffer))) > 0) {
		size_t part = top == NULL ? (size_t)got
		    : pop3_top_take(top, buffer, (size_t)got);
		size_t before = s->output.length;

		dot_write(&writer, buffer, part, &s->output);
		*octets += s->output.length - before;
		total += got;
		if (s->output.length >= OUTPUT_SIZE)
			flush(s);
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
	reply(s, "+OK Marked to be deleted.");
}

static void
do_rset(struct session *s, const char *argument)
{
	for (size_t i = 0; i < s->count; i++)
		mailbox_mark(s->mailbox, i, false);
	s->deleted = 0;
	reply(s, "+OK");
}

static void
do_noop(struct session *s, const char *argument)
{
	reply(s, "+OK");
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
		reply(s, "-ERR [SYS/TEMP] Some messages were not deleted.");
		s->deleted -= left;
	} else
		reply(s, "+OK Logging out%s.",
		    marked > 0 ? ", messages deleted" : "");
	flush(s);
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

static void
obey(struct session *s, char *line, size_t length)
{
	struct pop3_command command;

	pop3_command_parse(line, length, &command);
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (strcmp(commands[i].keyword, command.keyword) == 0) {
			const char *argument = command.argument;

			commands[i].act(s, argument != NULL ? argument : "");
			return;
		}
	bad(s, "Unknown command: %s", command.keyword);
}

static void
obey_lines(struct session *s)
{
	enum pop3_next next;
	size_t length;
	char *line;

	while (!s->is_over && (next = pop3_input_next(&s->input, &line,
	    &length)) != POP3_NO_LINE) {
		if (next == POP3_LONG_LINE)
			bad(s, "Line too long.");
		else
			obey(s, line, length);
	}
}

static void
read_input(struct session *s)
{
	char bytes[4096];
	ssize_t n = recv(s->options->client, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		pop3_input_append(&s->input, bytes, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		connection_lost(s);
}

static void
converse(struct session *s)
{
	s->cause = "Connection closed";
	pop3_input_append(&s->input, s->options->unread, s->options->unread_length);
	for (;;) {
		obey_lines(s);
		flush(s);
		if (s->is_over || !wait_for(s, POLLIN))
			return;
		read_input(s);
		if (s->is_over)
			return;
	}
}

static bool
open_mailbox(struct session *s)
{
	const char *why;

	s->mailbox = mailbox_open(s->options->maildir, &why);
	if (s->mailbox == NULL) {
		log_warning("pop3(%s): cannot %s %s: %m", s->options->user, why,
		    s->options->maildir);
		return false;
	}
	s->count = mailbox_count(s->mailbox);
	return true;
}

/*
 * The password was right, so a reader must not ask for another one: as
 * Dovecot does, say so, and let the first command fail.
 */
static void
tell_no_mailbox(struct session *s)
{
	reply(s, "+OK Logged in.");
	flush(s);
	if (s->options->unread_length == 0 && wait_for(s, POLLIN))
		read_input(s);
	reply(s, "-ERR [SYS/TEMP] The mailbox cannot be opened; "
	    "the server's log tells why.");
	flush(s);
}

/* In the words that fail2ban and log readers know from Dovecot. */
static void
log_login(const struct pop3_session_options *options)
{
	log_info("pop3-login: Info: Login: user=<%s>, method=PLAIN, rip=%s, "
	    "lip=%s, mpid=%ld, session=<%s>", options->user, options->remote,
	    options->local, (long)getpid(), options->session);
}

static void
log_end(const struct session *s)
{
	log_info("pop3(%s)<%ld><%s>: Info: %s top=%lu/%llu, retr=%lu/%llu, "
	    "del=%lu/%zu", s->options->user, (long)getpid(),
	    s->options->session, s->cause, s->topped, s->topped_bytes,
	    s->retrieved, s->retrieved_bytes, s->mailbox == NULL ? s->deleted : 0,
	    s->count);
}

void
pop3_session(const struct pop3_session_options *options)
{
	struct session session = { .options = options };

	log_login(options);
	if (open_mailbox(&session)) {
		options->close_doors();
		reply(&session, "+OK Logged in.");
		converse(&session);
		log_end(&session);
	} else {
		options->close_doors();
		tell_no_mailbox(&session);
	}
	mailbox_abandon(&session.mailbox);
	pop3_input_clear(&session.input);
	text_clear(&session.output);
	log_flush();
}
