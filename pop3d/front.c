/*
 * front - POP3 before the login: RFC 1939 section 4, RFC 2449, RFC 3206
 *
 * A session is a few hundred bytes; its input is there only while a line is
 * incomplete. What is said here is short: a client whose socket does not take it
 * at once is not reading, and is dropped.
 */

#include "pop3d/pop3d.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/base.h"
#include "config/config.h"
#include "pop3/pop3.h"

#define BAD_COMMANDS_MAX 3	/* the one after these ends the session */

enum state {
	TALKING,	/* lines are read and answered */
	ASKING,		/* authd thinks; nothing is read */
	DELAYING,	/* authd said no; the answer is held back */
};

static const char *const state_names[] = { "talking", "asking", "delaying" };

struct session {
	int	 fd;
	enum state state;
	struct event *readable, *timer;
	int64_t	 started_ms, asked_ms;
	uint64_t request;	/* to authd; 0: none */
	struct pop3_input input;
	char	*user;		/* of the last USER; NULL: none */
	char	*attempted;	/* the last one who was denied, for the log */
	int	 bad_commands, failures;
	bool	 is_from_here;
	char	 remote[INET6_ADDRSTRLEN], local[INET6_ADDRSTRLEN];
	char	 id[17];
};

static struct ipc_client *authd;
static size_t session_count;

static void on_readable(int fd, short what, void *context);
static void on_timer(int fd, short what, void *context);

void
front_start(void)
{
	if (config.pop3d_log_tag[0] != '\0')
		log_open_pipe(SERVICE_LOG_FD, config.pop3d_log_tag);
	authd = ipc_client_new(service_base, config.auth_service_name);
}

bool
front_busy(void)
{
	return session_count > 0;
}

static void
session_enter(struct session *s, enum state next, const char *cause)
{
	log_debug("%s: %s -> %s: %s", s->remote, state_names[s->state],
	    state_names[next], cause);
	s->state = next;
	if (next == TALKING)
		event_add(s->readable, NULL);
	else
		event_del(s->readable);
}

static void
session_free(struct session **session)
{
	struct session *s = *session;

	*session = NULL;
	ipc_client_cancel(authd, s->request);
	if (s->readable != NULL)
		event_free(s->readable);
	if (s->timer != NULL)
		event_free(s->timer);
	fd_close(&s->fd);
	peer_remove(s->remote);
	pop3_input_clear(&s->input);
	free(s->user);
	free(s->attempted);
	free(s);
	session_count--;
	service_check_idle();
}

/* The session is over; in the words that fail2ban knows from Dovecot. */
static void
session_end(struct session *s, const char *cause)
{
	long seconds = (long)((clock_ms() - s->started_ms) / 1000);

	if (s->failures > 0)
		log_info("pop3-login: Info: %s (auth failed, %d attempts in %ld secs): "
		    "user=<%s>, method=PLAIN, rip=%s, lip=%s, session=<%s>", cause,
		    s->failures, seconds, s->attempted, s->remote, s->local, s->id);
	else
		log_info("pop3-login: Info: %s (no auth attempts in %ld secs): "
		    "user=<>, rip=%s, lip=%s, session=<%s>", cause, seconds,
		    s->remote, s->local, s->id);
	session_free(&s);
}

/* False if the session has ended: the client is gone or does not read. */
static bool
say(struct session *s, const char *text)
{
	size_t length = strlen(text);

	if (send(s->fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT)
	    == (ssize_t)length)
		return true;
	session_end(s, "Disconnected");
	return false;
}

/* The last word. */
static bool
say_and_end(struct session *s, const char *text, const char *cause)
{
	if (say(s, text))
		session_end(s, cause);
	return false;
}

/* What each command does: false if the session has ended. */
typedef bool act(struct session *s, const char *argument);

static bool
bad(struct session *s, const char *text)
{
	if (++s->bad_commands > BAD_COMMANDS_MAX)
		return say_and_end(s, "-ERR Too many invalid bad commands.\r\n",
		    "Disconnected: Too many bad commands");
	return say(s, text);
}

static bool
do_capa(struct session *s, const char *argument)
{
	return say(s, pop3_capabilities(false));
}

static bool
do_quit(struct session *s, const char *argument)
{
	return say_and_end(s, "+OK Logging out\r\n", "Aborted login");
}

static bool
do_user(struct session *s, const char *argument)
{
	if (config.disable_plaintext_auth && !s->is_from_here)
		return bad(s, "-ERR [AUTH] Plaintext authentication disallowed on "
		    "non-secure (SSL/TLS) connections.\r\n");
	if (argument == NULL || argument[0] == '\0')
		return bad(s, "-ERR USER needs a name.\r\n");
	free(s->user);
	s->user = mem_strdup(argument);
	return say(s, "+OK\r\n");
}

static void
on_login_result(struct ipc_packet *reply, void *context)
{
	struct session *s = context;
	struct ipc_login_result result;

	s->request = 0;
	if (reply == NULL || ipc_decode_login_result(reply, &result) == -1)
		result.status = LOGIN_PUT_OFF;
	if (result.status == LOGIN_TAKEN) {
		session_free(&s);	/* the socket lives on in the session's process */
		return;
	}
	if (result.status == LOGIN_DENIED) {
		/* As late as the delay says, however long authd thought: the time tells nothing. */
		int64_t wait = s->asked_ms + config.auth_failure_delay * 1000LL
		    - clock_ms();
		struct timeval delay = { 0 };

		if (wait > 0)
			delay = (struct timeval) { wait / 1000, wait % 1000 * 1000 };
		s->failures++;
		free(s->attempted);
		s->attempted = text_printable(s->user);
		s->user = NULL;
		session_enter(s, DELAYING, "denied");
		event_add(s->timer, &delay);
		return;
	}
	say_and_end(s, "-ERR [SYS/TEMP] Temporary authentication failure.\r\n",
	    "Disconnected: Temporary authentication failure");
}

static bool
do_pass(struct session *s, const char *argument)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	if (s->user == NULL)
		return bad(s, "-ERR No username given.\r\n");
	if (argument == NULL)
		argument = "";

	struct ipc_login login = {
		.service = "pop3", .user = s->user, .password = argument,
		.remote = s->remote, .local = s->local, .session = s->id,
		.unread = { s->input.text.bytes + s->input.start,
		    s->input.text.length - s->input.start },
		.client = dup(s->fd),
	};

	ipc_encode_login(&packet, 0, &login);
	s->asked_ms = clock_ms();
	session_enter(s, ASKING, "PASS");
	s->request = ipc_client_call(authd, &packet, on_login_result, s);
	return false;
}

static const struct command {
	const char *keyword;
	act	*act;
} commands[] = {
	{ "CAPA",	do_capa },
	{ "USER",	do_user },
	{ "PASS",	do_pass },
	{ "QUIT",	do_quit },
};

static bool
obey(struct session *s, char *line, size_t length)
{
	struct pop3_command command;

	pop3_command_parse(line, length, &command);
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (strcmp(commands[i].keyword, command.keyword) == 0)
			return commands[i].act(s, command.argument);
	return bad(s, "-ERR Unknown command.\r\n");
}

/* Obey whole lines until none is left or the session may not read on. */
static void
obey_lines(struct session *s)
{
	enum pop3_next next;
	size_t length;
	char *line;

	while ((next = pop3_input_next(&s->input, &line, &length)) != POP3_NO_LINE)
		if (!(next == POP3_LONG_LINE ? bad(s, "-ERR Line too long.\r\n")
		    : obey(s, line, length)))
			return;
	if (s->input.text.length == 0 && !s->input.is_discarding)
		pop3_input_clear(&s->input);
}

static void
on_readable(int fd, short what, void *context)
{
	struct session *s = context;
	char bytes[4096];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0) {
		pop3_input_append(&s->input, bytes, (size_t)n);
		obey_lines(s);
	} else if (n == 0)
		session_end(s, s->failures > 0 ? "Disconnected" : "Aborted login");
	else if (errno != EAGAIN && errno != EINTR)
		session_end(s, "Disconnected");
}

static void
set_login_timer(struct session *s)
{
	int64_t left = s->started_ms + config.pop3d_login_timeout * 1000LL
	    - clock_ms();
	struct timeval wait = { 0 };

	if (left > 0)
		wait = (struct timeval) { left / 1000, left % 1000 * 1000 };
	event_add(s->timer, &wait);
}

static void
on_timer(int fd, short what, void *context)
{
	static const char denied[] = "-ERR [AUTH] Authentication failed.\r\n";
	struct session *s = context;

	if (s->state != DELAYING)
		say_and_end(s, "-ERR Disconnected for inactivity.\r\n",
		    "Disconnected: Inactivity");
	else if (s->failures >= config.pop3d_login_failure_limit)
		say_and_end(s, denied, "Disconnected");
	else if (say(s, denied)) {
		session_enter(s, TALKING, "answered");
		set_login_timer(s);
		obey_lines(s);
	}
}

/* An address as text: IPv4 mapped into IPv6 is IPv4. */
static void
name_address(const struct sockaddr_storage *address, char name[INET6_ADDRSTRLEN])
{
	const struct sockaddr_in6 *v6 = (const void *)address;
	const struct sockaddr_in *v4 = (const void *)address;

	strlcpy(name, "?", INET6_ADDRSTRLEN);
	if (address->ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, name, INET6_ADDRSTRLEN);
	else if (address->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, name, INET6_ADDRSTRLEN);
	if (strncmp(name, "::ffff:", 7) == 0 && strchr(name, '.') != NULL)
		memmove(name, name + 7, strlen(name + 7) + 1);
}

static void
learn_addresses(struct session *s, const struct sockaddr_storage *peer)
{
	struct sockaddr_storage local = { 0 };
	socklen_t size = sizeof(local);

	getsockname(s->fd, (struct sockaddr *)&local, &size);
	name_address(peer, s->remote);
	name_address(&local, s->local);
	s->is_from_here = strcmp(s->remote, s->local) == 0
	    || strncmp(s->remote, "127.", 4) == 0
	    || strcmp(s->remote, "::1") == 0;
}

static void
make_id(char id[17])
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";

	for (int i = 0; i < 16; i++)
		id[i] = digits[arc4random() & 63];
	id[16] = '\0';
}

void
front_connected(int fd, const struct sockaddr_storage *peer)
{
	struct session *s = mem_zalloc(1, sizeof(*s));
	char greeting[512];

	s->fd = fd;
	s->started_ms = clock_ms();
	session_count++;
	learn_addresses(s, peer);
	make_id(s->id);
	if (!peer_add(s->remote)) {
		static const char words[] = "-ERR [IN-USE] Too many connections.\r\n";

		send(fd, words, sizeof(words) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		log_info("too many connections from %s; refused", s->remote);
		fd_close(&s->fd);
		free(s);
		session_count--;
		return;
	}
	s->readable = event_new(service_base, fd, EV_READ | EV_PERSIST,
	    on_readable, s);
	s->timer = event_new(service_base, -1, 0, on_timer, s);
	if (s->readable == NULL || s->timer == NULL) {
		session_free(&s);
		return;
	}
	session_enter(s, TALKING, "connected");
	set_login_timer(s);
	snprintf(greeting, sizeof(greeting), "+OK %s\r\n", config.pop3d_greeting);
	say(s, greeting);
}
