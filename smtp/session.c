/* session - a connection: bytes out, replies in, and a time limit on every step */

#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/config.h"
#include "config/network.h"
#include "service/service.h"
#include "table/match.h"

static struct match_list *debugged;
static char input[16384];
static struct text piece;	/* of content, on its way */

void
sessions_start(void)
{
	debugged = match_list_open("debug_peer_list", config.debug_peer_list);
}

/*
 * Events of a peer in debug_peer_list are logged in more detail. Gives by how
 * much, to be taken away after the event, when the session may be gone.
 */
static int
listen_closely(const struct session *session)
{
	int level = session->is_debugged ? config.debug_peer_level : 0;

	log_verbose += level;
	return level;
}

static void
log_commands(const struct session *session)
{
	const char *line = text_string(&session->out), *end;

	for (; (end = strchr(line, '\r')) != NULL; line = end + 2)
		log_debug("> %s: %.*s", session->relay, (int)(end - line), line);
}

void
session_enter(struct session *session, enum stage stage)
{
	const struct timeval limit = { *stage_facts[stage].limit, 0 };

	log_debug("%s: %s -> %s", session->relay,
	    stage_facts[session->stage].name, stage_facts[stage].name);
	session->stage = stage;
	if (limit.tv_sec > 0)
		event_add(&session->deadline, &limit);
	else
		event_del(&session->deadline);
}

void
session_end(struct session **argument)
{
	struct session *session = *argument;

	*argument = NULL;
	if (session == NULL)
		return;
	event_del(&session->readable);
	event_del(&session->writable);
	event_del(&session->deadline);
	destination_drop(session);
	if (session->job != NULL)
		session->job->session = NULL;
	trouble_end(session);
	fd_close(&session->fd);
	text_clear(&session->out);
	text_clear(&session->shaped);
	smtp_reply_clear(&session->reply);
	free(session->host);
	free(session->peer);
	free(session->relay);
	free(session);
}

void
session_broken(struct session *session, const char *dsn, const char *format)
{
	struct job *job = session->job;
	const char *doing = stage_facts[session->stage].doing;
	struct text text = TEXT_EMPTY;

	if (job == NULL) {	/* idle, or saying goodbye */
		session_end(&session);
		return;
	}
	/* An old connection that does not answer is no news: a fresh one will tell. */
	if (session->stage != STAGE_RSET) {
		text_printf(&text, format, session->peer, doing);
		failure_set(&job->why, dsn, "%s", text_string(&text));
		text_clear(&text);
		outcome_rest(job, session->stage == STAGE_DOT &&
		    session->accepted > 0);
	}
	session_end(&session);
	job_go_on(job);
}

/* He went away, or takes no more. */
static void
on_lost(struct session *session)
{
	session_broken(session, "4.4.2", "lost connection with %s while %s");
}

static void
note_not_connected(const struct session *session, int error)
{
	struct job *job = session->job;

	failure_set(&job->why, "4.4.1", "connect to %s: %s", session->relay,
	    strerror(error));
	log_info("%s", job->why.text);
}

static void
on_not_connected(struct session *session, int error)
{
	struct job *job = session->job;

	note_not_connected(session, error);
	session_end(&session);
	job_go_on(job);
}

static void
on_deadline(int fd, short what, void *argument)
{
	struct session *session = argument;
	int level = listen_closely(session);

	if (session->stage == STAGE_IDLE) {
		destination_drop(session);
		session_quit(session);
	} else if (session->stage == STAGE_CONNECT) {
		on_not_connected(session, ETIMEDOUT);
	} else {
		session_broken(session, "4.4.2",
		    "conversation with %s timed out while %s");
	}
	log_verbose -= level;
}

/*
 * Is this reply the answer to something, and what follows it too? A surplus
 * reply would be taken for the answer to whatever is said next.
 */
static bool
was_asked(struct session *session, bool more_follows)
{
	bool in_group = (session->offers & OFFERS_PIPELINING) &&
	    session->stage >= STAGE_RSET && session->stage <= STAGE_RCPT;

	if (stage_facts[session->stage].replied == NULL)
		return false;
	if (!more_follows || in_group || session->skip > 0)
		return true;
	/* The message is accepted, whatever else he says. */
	session->closing = true;
	return session->stage == STAGE_DOT || session->stage == STAGE_QUIT;
}

/* Replies that came: each to the stage that awaits it. */
static void
take_replies(struct session *session, size_t length)
{
	struct smtp_reply *reply = &session->reply;
	size_t at = 0;

	while (at < length) {
		at += smtp_reply_read(reply, input + at, length - at);
		if (reply->progress == SMTP_REPLY_MORE)
			return;
		if (reply->progress == SMTP_REPLY_BROKEN ||
		    !reword_reply(session, reply)) {
			session_broken(session, "4.5.0",
			    "host %s sent something that is no SMTP reply while %s");
			return;
		}
		if (!was_asked(session, at < length)) {
			session_broken(session, "4.5.0",
			    "host %s replied before it was asked, while %s");
			return;
		}
		log_debug("< %s: %s", session->relay, text_string(&reply->text));
		trouble_heard(session, reply->code, text_string(&reply->text));
		if (reply->code == 421)
			session->closing = true;
		if (session->skip > 0)
			session->skip--;
		else if (!stage_facts[session->stage].replied(session))
			return;
		smtp_reply_reset(reply);
	}
}

static void
on_readable(int fd, short what, void *argument)
{
	struct session *session = argument;
	ssize_t length = recv(fd, input, sizeof(input), 0);
	int level = listen_closely(session);

	if (length > 0)
		take_replies(session, (size_t)length);
	else if (length == 0 || (errno != EAGAIN && errno != EINTR))
		on_lost(session);
	log_verbose -= level;
}

/* Nothing more can be sent; his last words may still say why. */
static void
go_deaf(struct session *session)
{
	session->deaf = true;
	text_clear(&session->out);
	event_add(&session->readable, NULL);
}

/* Send what fits. Gives the bytes sent. */
static size_t
send_some(struct session *session, const char *bytes, size_t length)
{
	ssize_t sent = send(session->fd, bytes, length, MSG_NOSIGNAL);

	if (sent >= 0)
		return (size_t)sent;
	if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)
		return 0;
	if (errno != EPIPE && errno != ECONNRESET) {
		/* It is our trouble: he has nothing to say about it. */
		log_warning("%s: cannot send: %m; ending the session",
		    session->relay);
		shutdown(session->fd, SHUT_RDWR);
	}
	go_deaf(session);
	return 0;
}

/* As much of the message as the socket takes now. */
static void
send_body(struct session *session)
{
	while (!session->deaf && !session->content.finished &&
	    session->out.length == 0) {
		text_truncate(&piece, 0);
		content_write(&session->content, &piece);

		size_t sent = send_some(session, piece.bytes, piece.length);

		if (sent < piece.length && !session->deaf)
			text_append(&session->out, piece.bytes + sent,
			    piece.length - sent);
		session_enter(session, STAGE_BODY);
	}
	if (session->deaf || session->out.length > 0)
		return;
	text_clear(&session->out);
	session_enter(session, STAGE_DOT);
	event_add(&session->readable, NULL);
}

void
session_flush(struct session *session)
{
	struct text *out = &session->out;

	if (log_verbose > 0 && session->stage != STAGE_BODY)
		log_commands(session);
	if (session->stage != STAGE_BODY)
		trouble_said(session);
	if (out->length > 0 && !session->deaf) {
		size_t sent = send_some(session, out->bytes, out->length);

		text_drop(out, sent);
		if (sent > 0 && session->stage == STAGE_BODY)
			session_enter(session, STAGE_BODY);
	}
	if (session->stage == STAGE_BODY && out->length == 0)
		send_body(session);
	if (out->length > 0)
		event_add(&session->writable, NULL);
}

static void
on_connected(struct session *session)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(session->fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
		error = errno;
	if (error != 0) {
		on_not_connected(session, error);
		return;
	}
	session_enter(session, STAGE_GREETING);
	event_add(&session->readable, NULL);
}

static void
on_writable(int fd, short what, void *argument)
{
	struct session *session = argument;
	int level = listen_closely(session);

	if (session->stage == STAGE_CONNECT)
		on_connected(session);
	else
		session_flush(session);
	log_verbose -= level;
}

void
session_say(struct session *session, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_vprintf(&session->out, format, arguments);
	va_end(arguments);
	text_append(&session->out, "\r\n", 2);
}

void
session_quit(struct session *session)
{
	session->job = NULL;
	if (session->deaf) {
		session_end(&session);
		return;
	}
	session_say(session, "QUIT");
	session_enter(session, STAGE_QUIT);
	session_flush(session);
	if (config.smtp_skip_quit_response || session->closing)
		session_end(&session);
}

void
session_take(struct session *session, struct job *job)
{
	session->job = job;
	job->request->connected_us = clock_wall_us();
	dialogue_begin(session);
}

/* A single address of this host that strangers reach is also the one that it calls from. */
static const struct sockaddr *
own_single_address(int family, socklen_t *size)
{
	const struct own_address *own, *found = NULL;
	const union resolve_address *address;
	size_t count;

	if (strcmp(config.inet_interfaces, "all") == 0)
		return NULL;
	own = network_own(&count);
	for (size_t i = 0; i < count; i++) {
		if (own[i].address.ss_family != family)
			continue;
		if (found != NULL)
			return NULL;
		found = &own[i];
	}
	if (found == NULL)
		return NULL;
	address = (const void *)&found->address;
	*size = found->length;
	if (family == AF_INET ?
	    ntohl(address->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET :
	    IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr))
		return NULL;
	return &address->any;
}

/* Call from the address that the configuration wants. */
static void
bind_source(int fd, int family)
{
	const char *wanted = family == AF_INET ? config.smtp_bind_address :
	    config.smtp_bind_address6;
	union resolve_address address;
	const struct sockaddr *source = NULL;
	socklen_t size = family == AF_INET ? sizeof(address.v4) :
	    sizeof(address.v6);

	if (*wanted == '\0')
		source = own_single_address(family, &size);
	else if (nexthop_address(wanted, &address) &&
	    address.any.sa_family == family)
		source = &address.any;
	else
		log_warning("%s = %s is no such address: ignored",
		    family == AF_INET ? "smtp_bind_address" :
		    "smtp_bind_address6", wanted);
	if (source != NULL && bind(fd, source, size) == -1)
		log_warning("cannot call from %s: %m", *wanted != '\0' ?
		    wanted : "the address in inet_interfaces");
}

/* A connected or connecting socket; -1 with errno. */
static int
start_connection(const union resolve_address *address)
{
	const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, on = 1;
	int family = address->any.sa_family;
	int fd = socket(family, type, 0);

	if (fd == -1 && (errno == EMFILE || errno == ENFILE)) {
		destinations_close_idle(true);
		fd = socket(family, type, 0);
	}
	if (fd == -1)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	bind_source(fd, family);
	if (connect(fd, &address->any, family == AF_INET ?
	    sizeof(address->v4) : sizeof(address->v6)) == -1 &&
	    errno != EINPROGRESS)
		fd_close(&fd);
	return fd;
}

static void
name_session(struct session *session, const struct target *target)
{
	const union resolve_address *address = &target->address;
	bool is_v4 = address->any.sa_family == AF_INET;
	in_port_t port = ntohs(is_v4 ? address->v4.sin_port :
	    address->v6.sin6_port);
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(address->any.sa_family, is_v4 ?
	    (const void *)&address->v4.sin_addr :
	    (const void *)&address->v6.sin6_addr, text, sizeof(text));
	session->host = mem_strdup(target->host);
	session->peer = mem_printf("%s[%s]", target->host, text);
	session->relay = mem_printf("%s:%u", session->peer, port);
	session->expects_loop = port == smtp_port;
	session->is_debugged = match_client(debugged, target->host,
	    &target->address.any) == TABLE_FOUND;
}

struct session *
session_open(struct job *job, const struct target *target)
{
	struct session *session = mem_zalloc(1, sizeof(*session));

	name_session(session, target);
	session->job = job;
	session->is_best = target->is_best;
	session->is_first_site = job->site_number == 1;
	session->opened_ms = clock_ms();
	session->fd = start_connection(&target->address);
	event_assign(&session->readable, service_base, session->fd,
	    EV_READ | EV_PERSIST, on_readable, session);
	event_assign(&session->writable, service_base, session->fd, EV_WRITE,
	    on_writable, session);
	event_assign(&session->deadline, service_base, -1, 0, on_deadline,
	    session);
	if (session->fd == -1) {
		note_not_connected(session, errno);
		session_end(&session);
		return NULL;
	}
	session_enter(session, STAGE_CONNECT);
	event_add(&session->writable, NULL);
	return session;
}
