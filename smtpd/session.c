/*
 * A connection: what it waits for, its deadlines, its beginning and its end.
 *
 * A session waits for one thing at a time, with the one event that it has:
 * for bytes, for room to send, or for a moment to pass. While it is busy
 * (cleanup, DNS, trivial-rewrite have a question of it) its read event stays
 * in the loop until something comes, which then waits in the kernel.
 *
 * The end is at one place, on_event() or session_go_on(), when nothing of
 * the session is on the stack any more: everyone else sets `ending`.
 */


#include "smtpd/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "config/config.h"
#include "service/service.h"
#include "smtpd/checks.h"
#include "smtpd/client.h"
#include "smtpd/dialogue.h"
#include "smtpd/screening.h"
#include "smtpd/smtpd.h"
#include "smtpd/transaction.h"

#define READ_SIZE	65536

static TAILQ_HEAD(, session) sessions = TAILQ_HEAD_INITIALIZER(sessions);
static size_t session_count;

/* Lent to the session whose turn it is. */
static char lent[READ_SIZE];

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

/* How long one may take for a command: less while it is tested. */
static int
patience(const struct session *s)
{
	return s->screening != NULL ?
	    screen_config()->postscreen_command_time_limit :
	    config.smtpd_timeout;
}

/* Wait for what: EV_READ, EV_WRITE, EV_TIMEOUT for seconds only, 0 for nothing. */
static void
watch(struct session *s, short what, int seconds)
{
	const struct timeval pause = { seconds, 0 };
	const struct timeval proxy_timeout = {
		config.smtpd_screening ? config.postscreen_upstream_proxy_timeout
		    : config.smtpd_upstream_proxy_timeout, 0,
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
	    s->is_screening ? NULL :	/* screen.c has a clock of its own */
	    common_timeout(patience(s)));
}

/*
 * With smtpd_per_request_deadline a command, a reply or a message has
 * smtpd_timeout as a whole, however it trickles; a message has more, the more
 * of it came. Who is tested has no more in any case. Who sends nothing at all
 * is found by his event's own timeout.
 */
static void
start_deadline(struct session *s)
{
	s->deadline_ms = clock_ms() + patience(s) * 1000LL;
}

void
session_has_passed(struct session *s)
{
	s->deadline_ms = 0;
	watch(s, 0, 0);
}

static bool
is_overdue(const struct session *s)
{
	return (config.smtpd_per_request_deadline || s->screening != NULL) &&
	    s->deadline_ms != 0 && clock_ms() > s->deadline_ms;
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
	tables_end(s);
	checks_cancel(s);
	etrn_cancel(s);
	transaction_end(s);
	report_disconnect(s);
	screen_end(s);
	trouble_end(s);
	limit_end(s);
	TAILQ_REMOVE(&sessions, s, link);
	count_session(-1);
	if (s->out != s->fd)
		fd_close(&s->out);
	fd_close(&s->fd);
	text_clear(&s->input);
	text_clear(&s->output);
	text_clear(&s->unsaid);
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

/*
 * The answer to QUIT travels with the end of the connection. Nothing else may:
 * where bytes came that nobody will read, the end drops what was not sent.
 */
static ssize_t
send_output(const struct session *s)
{
	bool is_last = s->ending && s->verb == QUIT && s->unsaid.length == 0;

	if (s->out != s->fd)		/* sendmail -bs */
		return write(s->out, s->output.bytes, s->output.length);
	return send(s->out, s->output.bytes, s->output.length,
	    MSG_NOSIGNAL | (is_last ? MSG_MORE : 0));
}

/* Send what there is to say. False if some of it must wait, or nobody listens any more. */
static bool
flush(struct session *s)
{
	while (s->output.length > 0) {
		ssize_t sent = send_output(s);

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

/* Who has made too many errors hears it behind the last of them. */
static void
limit_errors(struct session *s)
{
	if (s->errors < config.smtpd_hard_error_limit || s->busy || s->ending)
		return;
	session_say(s, "421 4.7.0 %s Error: too many errors",
	    config.myhostname);
	log_info("too many errors after %s from %s", s->where, s->peer);
	s->ending = true;
}

/* Whatever happened: say what is to be said, and wait for what comes next, or end. */
static void
settle(struct session *s)
{
	bool flushed;

	send_away(s);
	do {
		limit_errors(s);
		if (s->pausing && !s->busy) {
			watch(s, EV_TIMEOUT, config.smtpd_error_sleep_time);
			return;
		}
		flushed = flush(s);
		/* Commands that waited for room: nothing more may come to wake us for them. */
	} while (flushed && s->input.length > 0 && session_feed(s, "", 0));

	if (s->ending && s->unsaid.length == 0 && (flushed || s->output.length == 0))
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
	s->busy = s->unsaid.length > 0;
	if (s->input.length > 0)
		session_feed(s, "", 0);
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
	report_lost(s, "timeout");
	if (s->watched == EV_READ)
		session_say(s, "421 4.4.2 %s Error: timeout exceeded",
		    config.myhostname);
	s->ending = true;
	if (s->unsaid.length > 0)
		return;
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

	ssize_t length = read(s->fd, lent, sizeof(lent));

	if (length == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0) {
		report_lost(s, "lost connection");
		session_end(&s);
		return;
	}
	session_feed(s, lent, length);
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
		screen_heard(s);
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

void
session_greet(struct session *s)
{
	s->deadline_ms = 0;
	s->busy = true;
	watch(s, 0, 0);
	greet_client(s);
}

/* It is known whose session it is. */
static void
begin(struct session *s)
{
	s->awaits_proxy = false;
	if (config.smtpd_screening)
		screen_begin(s);
	else
		session_greet(s);
}

static struct session *
session_new(int in, int out, const union resolve_address *address)
{
	struct session *s = mem_zalloc(1, sizeof(*s));

	s->fd = in;
	s->out = out;
	s->state = CONNECTED;
	s->where = "CONNECT";
	s->verb = UNKNOWN;
	s->address = *address;
	address_note(s);
	TAILQ_INSERT_TAIL(&sessions, s, link);
	count_session(1);
	return s;
}

struct session *
session_start_as(int fd, const union resolve_address *address,
    const union resolve_address *server, const char *name)
{
	struct session *s = session_new(fd, fd, address);

	s->server = *server;
	s->said_name = name;
	if (*address_proxy_protocol() == '\0') {
		begin(s);
		return s;
	}
	s->awaits_proxy = true;
	settle(s);
	return s;
}

void
session_start(int fd, const struct sockaddr_storage *peer)
{
	const union resolve_address here = { .any.sa_family = AF_UNSPEC };
	union resolve_address address;

	memcpy(&address, peer, sizeof(address));
	session_start_as(fd, &address, &here, NULL);
}

void
session_start_alone(int in, int out)
{
	union resolve_address address = { .v4 = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
	struct session *s = session_new(in, out, &address);

	greet_alone(s);
	settle(s);
}
