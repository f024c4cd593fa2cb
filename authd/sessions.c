/*
 * sessions - the starter of sessions, and how a session begins
 *
 * The starter holds the right to become users, and nothing that anybody sent
 * is parsed with it: it gets one typed packet a session from its brother,
 * forks, and forgets. A session ends by itself, or when master is gone.
 */

#include "authd/authd.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "pop3/pop3.h"

enum { STARTER_SOCKET = SERVICE_FIRST_SOCKET, CLIENT_SOCKET };

#define SESSION_SANDBOX	(SANDBOX_READ | SANDBOX_UNLINK)

/* In authd: the way to the starter. */
static int starter = -1;

/* In the starter: who is served, "user address" by pid and how many of each. */
static struct map *by_pid, *by_user;

int
sessions_begin(const struct ipc_session *session)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	ipc_encode_session(&packet, 0, session);

	int result = ipc_send(starter, &packet);

	ipc_packet_clear(&packet);
	if (result == -1 && (errno == EPIPE || errno == ECONNRESET))
		raise(SIGTERM);	/* the starter was killed: master starts us both anew */
	return result;
}

/* Counts are small numbers in place of pointers. */
static intptr_t
count_of(const char *user)
{
	return (intptr_t)map_get(by_user, user);
}

static void
add_count(const char *user, intptr_t change)
{
	intptr_t count = count_of(user) + change;

	if (count > 0)
		map_set(by_user, user, (void *)count);
	else
		map_remove(by_user, user);
}

static void
reap_sessions(void)
{
	char key[24];
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		snprintf(key, sizeof(key), "%ld", (long)pid);

		char *user = map_remove(by_pid, key);

		if (user != NULL)
			add_count(user, -1);
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM)
			log_warning("session %ld of %s was killed by signal %d",
			    (long)pid, user != NULL ? user : "?", WTERMSIG(status));
		free(user);
	}
}

/* Words for a client whom no session will serve; it need not be there any more. */
static void
refuse(int client, const char *words)
{
	send(client, words, strlen(words), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int
become_user(uid_t uid, gid_t gid)
{
	if (geteuid() != 0)
		return 0;
	return setgroups(1, &gid) == -1 || setresgid(gid, gid, gid) == -1
	    || setresuid(uid, uid, uid) == -1 ? -1 : 0;
}

static struct sandbox_path mailbox_paths[2];

static void
close_doors(void)
{
	sandbox_enter("pop3", SESSION_SANDBOX, mailbox_paths);
}

/* In the new process. */
static void __attribute__((noreturn))
run_session(const struct ipc_session *session, int client)
{
	const struct pop3_session_options options = {
		.client = client, .lifeline = SERVICE_LIFELINE_FD,
		.idle_s = config.pop3d_idle_timeout,
		.maildir = session->maildir, .user = session->user,
		.remote = session->remote, .local = session->local,
		.session = session->session,
		.unread = session->unread.bytes,
		.unread_length = session->unread.length,
		.close_doors = close_doors,
	};

	close(STARTER_SOCKET);
	log_open_pipe(SERVICE_LOG_FD, config.pop3d_log_tag);
	if (become_user((uid_t)session->uid, (gid_t)session->gid) == -1) {
		log_warning("%s: cannot become user %ld: %m", session->user,
		    (long)session->uid);
		refuse(client, "-ERR [SYS/TEMP] Internal error occurred.\r\n");
		log_flush();
		_exit(1);
	}
	mailbox_paths[0] = (struct sandbox_path) { session->maildir, true };
	pop3_session(&options);
	_exit(0);
}

static void
begin_session(const struct ipc_session *session, int client)
{
	char *user = mem_printf("%s %s", session->user, session->remote);
	char key[24];
	pid_t pid;

	if (config.mail_max_userip_connections > 0
	    && count_of(user) >= config.mail_max_userip_connections) {
		refuse(client, "-ERR [IN-USE] Maximum number of connections from "
		    "user+IP exceeded (mail_max_userip_connections).\r\n");
		log_info("%s: Maximum number of connections from user+IP exceeded "
		    "(mail_max_userip_connections=%d)", user,
		    config.mail_max_userip_connections);
		free(user);
		return;
	}
	log_flush();	/* or the child would write these lines again */
	pid = fork();
	if (pid == 0)
		run_session(session, client);
	if (pid == -1) {
		log_warning("cannot fork a session: %m");
		refuse(client, "-ERR [SYS/TEMP] Too many sessions.\r\n");
		free(user);
		return;
	}
	snprintf(key, sizeof(key), "%ld", (long)pid);
	add_count(user, 1);
	map_set(by_pid, key, user);
}

/* Until authd ends, which closes the socket. */
static void __attribute__((noreturn))
run_starter(void)
{
	static const struct sandbox_path everything[] = { { "/", true }, { NULL, false } };
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct ipc_session session;
	int got;

	by_pid = map_new();
	by_user = map_new();
	sandbox_prepare(SESSION_SANDBOX);
	sandbox_enter("authd", SANDBOX_BECOME | SANDBOX_FORK | SESSION_SANDBOX,
	    everything);
	while ((got = ipc_receive(STARTER_SOCKET, &packet, true)) == 1
	    || (got == -1 && errno == EINTR)) {
		reap_sessions();
		if (got != 1)
			continue;
		if (ipc_decode_session(&packet, &session) == -1)
			log_warning("a packet that is not a session; dropped");
		else {
			int client = ipc_packet_take_fd(&packet);

			begin_session(&session, client);
			fd_close(&client);
		}
		log_flush();
	}
	log_flush();
	_exit(0);
}

static void
on_child(int signal)
{
	/* ends a wait, so that the starter reaps */
}

void
sessions_start(void)
{
	struct sigaction action = { .sa_handler = on_child };
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		fatal("cannot make a socket pair: %m");
	log_flush();

	pid_t pid = fork();

	if (pid == -1)
		fatal("cannot fork the starter of sessions: %m");
	if (pid > 0) {
		close(ends[0]);
		starter = ends[1];
		return;
	}
	/* The listening sockets are authd's alone. */
	dup2(ends[0], STARTER_SOCKET);
	close_range(STARTER_SOCKET + 1, ~0U, 0);
	signal(SIGTERM, SIG_IGN);	/* it ends when authd does */
	signal(SIGHUP, SIG_IGN);
	sigaction(SIGCHLD, &action, NULL);
	run_starter();
}
