/*
 * session - the transaction state of POP3: one process, one client, one Maildir
 *
 * The process already is the mailbox's user. It reads from top to bottom:
 * wait for a line, obey it, write. What a pipelining client asks in one go is
 * answered in one go. RFC 1939 sections 5 and 6.
 */

#include "pop3/internal.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BAD_COMMANDS_MAX 21	/* the one after these ends the session */

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

void
pop3_flush(struct session *s)
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

void
pop3_reply(struct session *s, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_vprintf(&s->output, format, arguments);
	va_end(arguments);
	text_puts(&s->output, "\r\n");
	if (s->output.length >= OUTPUT_SIZE)
		pop3_flush(s);
}

void
pop3_bad(struct session *s, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	pop3_reply(s, "-ERR %s", text_printable(text));
	if (++s->bad_commands > BAD_COMMANDS_MAX) {
		pop3_reply(s, "-ERR Too many bad commands.");
		pop3_flush(s);
		s->is_over = true;
		s->cause = "Too many bad commands";
	}
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
			pop3_bad(s, "Line too long.");
		else
			pop3_obey(s, line, length);
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
		pop3_flush(s);
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
	pop3_reply(s, "+OK Logged in.");
	pop3_flush(s);
	if (s->options->unread_length == 0 && wait_for(s, POLLIN))
		read_input(s);
	pop3_reply(s, "-ERR [SYS/TEMP] The mailbox cannot be opened; "
	    "the server's log tells why.");
	pop3_flush(s);
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
		pop3_reply(&session, "+OK Logged in.");
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
