/*
 * A connection: bytes to commands, replies to bytes, limits, the end.
 *
 * A session waits for one thing at a time, with the one event that it has:
 * for bytes, for room to send, or for a moment to pass. While it is busy
 * (cleanup, DNS, trivial-rewrite have a question of it) its read event stays
 * in the loop until something comes, which then waits in the kernel.
 *
 * The end is at one place, on_event() or session_go_on(), when nothing of
 * the session is on the stack any more: everyone else sets `ending`.
 */

#include "smtpd/smtpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "config/config.h"
#include "service/service.h"

#define READ_SIZE	65536

/* Replies that may wait to be sent before no more commands are read. */
#define OUTPUT_MAX	16384

static TAILQ_HEAD(, session) sessions = TAILQ_HEAD_INITIALIZER(sessions);
static size_t session_count;

/* Lent to the session whose turn it is. */
static char lent[READ_SIZE];

static void	greet(struct session *s);
static void	on_early_words(struct session *s);
static void	on_event(evutil_socket_t fd, short what, void *argument);

void
session_enter(struct session *s, enum session_state next, const char *cause)
{
	if (log_verbose > 0)
		log_debug("%s: state %#x -> %#x: %s", s->peer, s->state, next,
		    cause);
	s->state = next;
}

bool
session_any(void)
{
	return !TAILQ_EMPTY(&sessions);
}

/* All sessions with the same limit share one queue of the loop. */
static const struct timeval *
common_timeout(int seconds)
{
	static const struct timeval *timeout;
	static int timeout_seconds = -1;

	if (seconds != timeout_seconds) {
		const struct timeval wanted = { seconds, 0 };

		timeout = event_base_init_common_timeout(service_base, &wanted);
		timeout_seconds = seconds;
	}
	return timeout;
}

/* Wait for what: EV_READ, EV_WRITE, EV_TIMEOUT for seconds only, 0 for nothing. */
static void
watch(struct session *s, short what, int seconds)
{
	const struct timeval pause = { seconds, 0 };
	const struct timeval greet_wait = { config.postscreen_greet_wait, 0 };
	const struct timeval proxy_timeout = {
		config.smtpd_upstream_proxy_timeout, 0,
	};

	if (s->watched == what && what != EV_TIMEOUT)
		return;
	if (s->watched != 0)
		event_del(&s->event);
	s->watched = what;
	if (what == 0)
		return;
	event_assign(&s->event, service_base, what == EV_TIMEOUT ? -1 : s->fd,
	    what == EV_TIMEOUT ? 0 : what | EV_PERSIST, on_event, s);
	event_add(&s->event, what == EV_TIMEOUT ? &pause :
	    s->awaits_proxy ? &proxy_timeout :
	    s->is_screening ? &greet_wait :
	    common_timeout(config.smtpd_timeout));
}

/*
 * With smtpd_per_request_deadline a command, a reply or a message has
 * smtpd_timeout as a whole, however it trickles; a message has more, the more
 * of it came. Who sends nothing at all is found by his event's own timeout.
 */
static void
start_deadline(struct session *s)
{
	s->deadline_ms = clock_ms() + config.smtpd_timeout * 1000LL;
}

static void
extend_deadline(struct session *s, size_t bytes)
{
	int64_t most = clock_ms() + config.smtpd_timeout * 1000LL;

	s->deadline_ms += (int64_t)bytes * 1000 / config.smtpd_min_data_rate;
	if (s->deadline_ms > most)
		s->deadline_ms = most;
}

static bool
is_overdue(const struct session *s)
{
	return config.smtpd_per_request_deadline && s->deadline_ms != 0 &&
	    clock_ms() > s->deadline_ms;
}

/* There is one session more, or less: have all another timeout now? */
static void
count_session(int change)
{
	struct session *s;

	session_count += change;
	if (!stress_note_sessions(session_count))
		return;
	TAILQ_FOREACH(s, &sessions, link)
		if (s->watched == EV_READ || s->watched == EV_WRITE) {
			short what = s->watched;

			watch(s, 0, 0);
			watch(s, what, 0);
		}
}

/* Its events go before its memory. */
static void
session_end(struct session **argument)
{
	struct session *s = *argument;

	*argument = NULL;
	watch(s, 0, 0);
	resolve_cancel(&s->lookup);
	checks_cancel(s);
	etrn_cancel(s);
	transaction_end(s);
	report_disconnect(s);
	trouble_end(s);
	limit_end(s);
	TAILQ_REMOVE(&sessions, s, link);
	count_session(-1);
	fd_close(&s->fd);
	text_clear(&s->input);
	text_clear(&s->output);
	free((char *)(uintptr_t)s->peer);
	free(s->client_name);
	free(s->reverse_name);
	xforward_forget(s);
	free(s->helo_name);
	for (size_t i = 0; i < COUNT_OF(s->owed); i++)
		free(s->owed[i]);
	free(s);
	service_check_idle();
}

void
session_finish(struct session *s)
{
	s->ending = true;
}

/* Send what there is to say. False if some of it must wait, or nobody listens any more. */
static bool
flush(struct session *s)
{
	while (s->output.length > 0) {
		ssize_t sent = send(s->fd, s->output.bytes, s->output.length,
		    MSG_NOSIGNAL);

		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1 && errno != EAGAIN) {
			text_clear(&s->output);
			s->ending = true;
			return false;
		}
		if (sent == -1)
			return false;
		text_drop(&s->output, sent);
	}
	text_clear(&s->output);
	return true;
}

/* Input. */

static bool
may_read(const struct session *s)
{
	return !s->busy && !s->pausing && !s->ending &&
	    s->output.length < OUTPUT_MAX;
}

/* A line is longer than any command may be: say so once, read past it. */
static void
skip_line(struct session *s)
{
	if (s->skipping)
		return;
	s->skipping = true;
	s->verb = UNKNOWN;
	s->where = "UNKNOWN";
	s->counts[UNKNOWN].total++;
	session_reply(s, "500 5.5.2 Error: line too long");
}

/* smtpd_forbid_bare_newline = reject: true if the session ends for it. */
static bool
refuse_bare_newline(struct session *s, const char *line, size_t length)
{
	if ((length > 0 && line[length - 1] == '\r') ||
	    !smtpd_refuses_bare_newline(s))
		return false;
	session_reply(s, "%d 5.5.2 %s Error: bare <LF> received",
	    config.smtpd_forbid_bare_newline_reject_code, config.myhostname);
	log_info("disconnect: bare <LF> received after %s from %s", s->where,
	    s->peer);
	session_finish(s);
	return true;
}

static bool
has_too_many_errors(struct session *s)
{
	if (s->errors < config.smtpd_hard_error_limit)
		return false;
	session_say(s, "421 4.7.0 %s Error: too many errors",
	    config.myhostname);
	log_info("too many errors after %s from %s", s->where, s->peer);
	session_finish(s);
	return true;
}

/* A line of input, if it is whole. Gives the bytes used. */
static size_t
take_line(struct session *s, const char *bytes, size_t length)
{
	const char *lf = memchr(bytes, '\n', length);

	if (lf == NULL) {
		if (length <= SMTP_COMMAND_MAX)
			return 0;
		skip_line(s);
		return length;
	}

	size_t line = lf - bytes, used = line + 1;

	s->deadline_ms = 0;
	if (s->skipping) {
		s->skipping = false;
		return used;
	}
	if (line > SMTP_COMMAND_MAX) {
		skip_line(s);
		s->skipping = false;
		return used;
	}
	if (has_too_many_errors(s) || refuse_bare_newline(s, bytes, line))
		return used;
	if (line > 0 && bytes[line - 1] == '\r')
		line--;
	session_trace(s, '<', bytes, line);
	trouble_heard(s, bytes, line);

	const char *other = reword_command(s, bytes, line);

	if (s->ending)
		return used;
	if (other != NULL)
		command_run(s, other, strlen(other), bytes + used,
		    length - used);
	else
		command_run(s, bytes, line, bytes + used, length - used);
	return used;
}

/* A chunk that was refused is read past, octet by octet as it was announced. */
static size_t
skip_octets(struct session *s, size_t length)
{
	size_t used = s->octets_to_skip < (int64_t)length ?
	    (size_t)s->octets_to_skip : length;

	s->octets_to_skip -= used;
	extend_deadline(s, used);
	return used;
}

static size_t
take_content(struct session *s, const char *bytes, size_t length)
{
	size_t used = content_read(s, bytes, length);

	if (s->state == IN_DATA || s->state == IN_CHUNK)
		extend_deadline(s, used);
	else
		s->deadline_ms = 0;
	return used;
}

static size_t
take_input(struct session *s, const char *bytes, size_t length)
{
	size_t at = 0;

	while (at < length && may_read(s)) {
		size_t used;

		if (s->octets_to_skip > 0)
			used = skip_octets(s, length - at);
		else if (s->awaits_proxy) {
			used = address_take_header(s, bytes + at, length - at);
			if (used == 0)
				break;
		} else if (s->state == IN_DATA || s->state == IN_CHUNK)
			used = take_content(s, bytes + at, length - at);
		else if ((used = take_line(s, bytes + at, length - at)) == 0)
			break;
		at += used;
	}
	return at;
}

/* Bytes that came, or those that had to wait. */
static void
feed(struct session *s, const char *bytes, size_t length)
{
	if (s->input.length == 0) {
		size_t used = take_input(s, bytes, length);

		text_append(&s->input, bytes + used, length - used);
	} else {
		text_append(&s->input, bytes, length);
		text_drop(&s->input, take_input(s, s->input.bytes,
		    s->input.length));
	}
	if (s->input.length == 0)
		text_clear(&s->input);
}

/*
 * The process must end: who is between two messages is sent away. After a
 * reload, sessions go on to their own end.
 */
static void
send_away(struct session *s)
{
	if (!service_is_ending() || s->busy || s->ending ||
	    s->transaction != NULL)
		return;
	session_say(s, "421 4.3.2 %s Service shutting down",
	    config.myhostname);
	s->pausing = false;
	s->ending = true;
}

/* Whatever happened: say what is to be said, and wait for what comes next, or end. */
static void
settle(struct session *s)
{
	send_away(s);
	if (s->pausing && !s->busy) {
		watch(s, EV_TIMEOUT, config.smtpd_error_sleep_time);
		return;
	}

	bool flushed = flush(s);

	if (s->ending && (flushed || s->output.length == 0))
		session_end(&s);
	else if (!flushed) {
		if (s->watched != EV_WRITE)
			start_deadline(s);
		watch(s, EV_WRITE, 0);
	} else if (!s->busy || s->watched == EV_WRITE) {
		if (s->deadline_ms == 0 || s->watched == EV_WRITE)
			start_deadline(s);
		watch(s, s->busy ? 0 : EV_READ, 0);
	}
}

void
session_go_on(struct session *s)
{
	s->busy = false;
	if (s->input.length > 0)
		feed(s, "", 0);
	settle(s);
}

static void
on_timeout(struct session *s)
{
	if (s->watched == EV_TIMEOUT) {
		s->pausing = false;
		watch(s, 0, 0);
		session_go_on(s);
		return;
	}
	if (s->busy)		/* he waits for us, not we for him */
		return;
	if (s->is_screening) {
		screen_waited(s);
		greet(s);
		return;
	}
	report_lost(s, "timeout");
	if (s->watched == EV_READ)
		session_say(s, "421 4.4.2 %s Error: timeout exceeded",
		    config.myhostname);
	flush(s);
	session_end(&s);
}

static void	begin(struct session *s);

static void
on_readable(struct session *s)
{
	if (s->busy) {
		watch(s, 0, 0);
		return;
	}

	ssize_t length = recv(s->fd, lent, sizeof(lent), 0);

	if (length == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0) {
		report_lost(s, "lost connection");
		session_end(&s);
		return;
	}
	feed(s, lent, length);
	if (s->awaits_proxy && s->busy)
		begin(s);
	else
		settle(s);
}

static void
on_event(evutil_socket_t fd, short what, void *argument)
{
	struct session *s = argument;

	if (s->is_screening && s->watched == EV_READ && (what & EV_READ))
		on_early_words(s);
	else if ((what & EV_TIMEOUT) || (is_overdue(s) && !s->busy))
		on_timeout(s);
	else if (s->watched == EV_READ)
		on_readable(s);
	else if (!s->busy && s->input.length > 0 && flush(s))
		session_go_on(s);
	else
		settle(s);
}

void
session_drain(void)
{
	struct session *s, *next;

	TAILQ_FOREACH_SAFE(s, &sessions, link, next)
		settle(s);
}

/* The beginning. */

static void
greet(struct session *s)
{
	s->busy = true;
	watch(s, 0, 0);
	greet_client(s);
}

/* It is known whose session it is. */
static void
begin(struct session *s)
{
	s->awaits_proxy = s->busy = false;
	if (!screen_begin(s)) {
		greet(s);
		return;
	}
	watch(s, 0, 0);
	settle(s);
}

static void
on_early_words(struct session *s)
{
	if (screen_heard(s))
		greet(s);
	else
		settle(s);
}

/* Who is at the other end is known. */
static struct session *
start(int fd, const union resolve_address *address, const char *name)
{
	struct session *s = mem_zalloc(1, sizeof(*s));

	s->fd = fd;
	s->state = CONNECTED;
	s->where = "CONNECT";
	s->verb = UNKNOWN;
	s->address = *address;
	s->said_name = name;
	address_note(s);
	TAILQ_INSERT_TAIL(&sessions, s, link);
	count_session(1);
	if (config.smtpd_upstream_proxy_protocol[0] == '\0') {
		begin(s);
		return s;
	}
	s->awaits_proxy = true;
	settle(s);
	return s;
}

void
session_start(int fd)
{
	union resolve_address address = { .any.sa_family = AF_UNSPEC };
	socklen_t size = sizeof(address);
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (getpeername(fd, &address.any, &size) == -1)
		address.any.sa_family = AF_UNSPEC;
	start(fd, &address, NULL);
}

struct session *
session_start_as(int fd, const union resolve_address *address,
    const char *name)
{
	return start(fd, address, name);
}
