/* The processes that stay beside the supervisor: those that answer, and the envoy. */

#include <sys/socket.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"
#include "named-lite/envoy/envoy.h"
#include "named-lite/answerer/serve.h"
#include "named-lite/scribe/scribe.h"
#include "named-lite/report.h"
#include "named-lite/supervisor/supervisor.h"
#include "service/supervision.h"

#define USER		"nobody"
#define CRASH_PAUSE_MS	1000	/* before a process that died soon is started again */
#define SOON_MS		10000

/* Children have none of the parent's business: its descriptors, its signals. */
void
children_become(void)
{
	struct supervisor *s = &supervisor;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	supervision_leave();
	fd_close(&s->signals);
	fd_close(&s->interfaces);
	fd_close(&s->loaded);
	fd_close(&s->envoy.control);
	fd_close(&s->scribe.control);
	fd_close(&s->lines[0]);
	for (int i = 0; i < PROCESSES_MAX; i++)
		fd_close(&s->answerers[i].control);
	listeners_close();
}

void
children_order(struct child *child, enum control_kind kind, unsigned number,
    const int *fds, int fd_count)
{
	struct control_order packet = { kind, number };

	if (child->control != -1 && control_send(child->control, &packet,
	    sizeof(packet), fds, fd_count) == -1)
		log_error("cannot reach an answering process: %m");
}

void
children_order_all(enum control_kind kind, unsigned number, const int *fds,
    int fd_count)
{
	for (int i = 0; i < supervisor.options->processes; i++)
		children_order(&supervisor.answerers[i], kind, number, fds,
		    fd_count);
}

/*
 * Fork with a socket between. Gives true in the child, whose end is *control.
 * A parent that could not tries again later.
 */
static bool
start(struct child *child, int *control, const char *what)
{
	int pair[2];

	child->start_at_ms = clock_ms() + CRASH_PAUSE_MS;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
		log_error("cannot start %s: %m", what);
		return false;
	}
	log_flush();
	child->pid = fork();
	if (child->pid == 0) {
		fd_close(&pair[0]);
		children_become();
		for (int i = 0; i < CONTROL_FILES; i++)
			fd_close(&supervisor.files[i]);
		*control = pair[1];
		return true;
	}
	fd_close(&pair[1]);
	if (child->pid == -1) {
		log_error("cannot start %s: %m", what);
		fd_close(&pair[0]);
		return false;
	}
	child->start_at_ms = 0;
	child->started_ms = clock_ms();
	child->control = pair[0];
	children_order(child, CONTROL_IMAGE, supervisor.turn, supervisor.files,
	    CONTROL_FILES);
	return false;
}

void
children_start_answerer(int number)
{
	struct supervisor *s = &supervisor;
	struct child *child = &s->answerers[number];
	int control;

	if (start(child, &control, "an answering process")) {
		fd_close(&s->notices[0]);
		_exit(serve_run(control, s->notices[1], s->empty_root,
		    number, USER));
	}
	children_order(child, CONTROL_QUERYLOG, s->logs_questions, NULL, 0);
	for (unsigned i = 0; i < CONTROL_ADDRESSES_MAX; i++)
		if (s->listeners[i].is_used)
			children_order(child, CONTROL_LISTEN, i,
			    s->listeners[i].fds[number], 2);
}

void
children_start_envoy(void)
{
	struct supervisor *s = &supervisor;
	int control;

	if (start(&s->envoy, &control, "the envoy")) {
		fd_close(&s->notices[1]);
		_exit(envoy_run(control, s->notices[0], s->empty_root, USER));
	}
	for (unsigned i = 0; i < CONTROL_CHANNELS_MAX; i++)
		if (s->channels[i].is_used)
			children_order(&s->envoy, CONTROL_CHANNEL, i,
			    &s->channels[i].fd, 1);
}

/* It reads what all others write; what it cannot tell goes where lines go without it. */
void
children_start_scribe(void)
{
	struct supervisor *s = &supervisor;
	int control, lines = fcntl(s->lines[0], F_DUPFD_CLOEXEC, 0);

	if (start(&s->scribe, &control, "the scribe")) {
		fd_close(&s->empty_root);
		fd_close(&s->notices[0]);
		fd_close(&s->notices[1]);
		fd_close(&s->lines[1]);
		_exit(scribe_run(control, lines, s->options));
	}
	fd_close(&lines);
}

void
children_end_scribe(void)
{
	struct supervisor *s = &supervisor;

	log_flush();
	report_end();
	options_open_log(s->options);
	if (s->scribe.pid <= 0) {
		report_drain(s->lines[0]);
		return;
	}
	fd_close(&s->scribe.control);
	fd_close(&s->lines[0]);
	fd_close(&s->lines[1]);
	(void)waitpid(s->scribe.pid, NULL, 0);
}

static void
on_end(struct child *child, int status, const char *what)
{
	int64_t now = clock_ms();

	child->pid = -1;
	fd_close(&child->control);
	if (supervisor.state == STOPPING)
		return;
	child->deaths++;
	if (WIFSIGNALED(status))
		log_error("%s was killed by signal %d; starting another "
		    "(number %u there)", what, WTERMSIG(status),
		    child->deaths + 1);
	else
		log_error("%s ended with status %d; starting another "
		    "(number %u there)", what, WEXITSTATUS(status),
		    child->deaths + 1);
	child->start_at_ms = now - child->started_ms < SOON_MS ?
	    now + CRASH_PAUSE_MS : now;
}

void
children_ended(pid_t pid, int status)
{
	if (supervisor.envoy.pid == pid)
		on_end(&supervisor.envoy, status, "the envoy");
	if (supervisor.scribe.pid == pid)
		on_end(&supervisor.scribe, status, "the scribe");
	for (int i = 0; i < PROCESSES_MAX; i++)
		if (supervisor.answerers[i].pid == pid)
			on_end(&supervisor.answerers[i], status,
			    "an answering process");
}

static bool
is_due(const struct child *child, int64_t now, int64_t *next)
{
	if (child->start_at_ms == 0)
		return false;
	if (child->start_at_ms <= now)
		return true;
	if (*next == 0 || child->start_at_ms < *next)
		*next = child->start_at_ms;
	return false;
}

int64_t
children_start_due(void)
{
	int64_t now = clock_ms(), next = 0;

	for (int i = 0; i < supervisor.options->processes; i++)
		if (is_due(&supervisor.answerers[i], now, &next))
			children_start_answerer(i);
	if (is_due(&supervisor.envoy, now, &next))
		children_start_envoy();
	if (is_due(&supervisor.scribe, now, &next))
		children_start_scribe();
	return next;
}

bool
children_are_there(void)
{
	for (int i = 0; i < PROCESSES_MAX; i++)
		if (supervisor.answerers[i].pid > 0)
			return true;
	return supervisor.envoy.pid > 0;
}
