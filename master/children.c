/* Processes: from fork to reap, and what a bad end leads to. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/snapshot.h"
#include "master/master.h"

#define BAD_START_MS	1000	/* who fails within this time would fail again at once */
#define GOOD_LIFE_MS	10000	/* who lived so long has nothing to do with earlier failures */
#define FIRST_PAUSE_MS	100	/* before the first new try; each further failure doubles it */
#define FORK_PAUSE_MS	5000	/* at most, when it is the machine that cannot */

/* The descriptors of a child: see service/service.h. */
enum { CHILD_LOG = 3, CHILD_LIFELINE, CHILD_SOCKETS };

struct child {
	LIST_ENTRY(child)	 link;
	pid_t			 pid;
	char			*path;
	struct slot		*slot;	/* NULL: it drains, or its service is gone */
	int64_t			 started_ms;
};

static LIST_HEAD(, child) children = LIST_HEAD_INITIALIZER(children);

int lifeline[2] = { -1, -1 };

static char **
make_arguments(const struct service *service, size_t sockets)
{
	const struct master_entry *entry = &service->entry;
	char **argv = mem_zalloc(entry->argument_count + 12, sizeof(*argv));
	size_t n = 0;

	argv[n++] = entry->program;
	argv[n++] = mem_strdup("-n");
	argv[n++] = entry->name;
	argv[n++] = mem_strdup("-t");
	argv[n++] = mem_strdup(master_type_name(entry->type));
	if (entry->unprivileged)
		argv[n++] = mem_strdup("-u");
	if (entry->chroot)
		argv[n++] = mem_strdup("-c");
	argv[n++] = mem_strdup("-s");
	argv[n++] = mem_printf("%zu", sockets);
	for (size_t i = 0; i < entry->argument_count; i++)
		argv[n++] = entry->arguments[i];
	return argv;
}

/*
 * A signal that came to a child between fork and exec would run libevent's
 * handler there, whose pipe is shared: master would take it for its own.
 */
pid_t
fork_daemon(int still_blocked)
{
	static const int caught[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP,
	    SIGCHLD, SIGPIPE, SIGXFSZ };
	sigset_t all, before;
	pid_t pid;

	log_flush();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	if ((pid = fork()) == 0) {
		for (size_t i = 0; i < COUNT_OF(caught); i++)
			signal(caught[i], SIG_DFL);
		setpgid(0, 0);	/* a ^C at the terminal is for master alone */
		if (still_blocked != 0)
			sigaddset(&before, still_blocked);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

/* In the child: the descriptors to their places, and off. */
static void __attribute__((noreturn))
run(const struct slot *slot)
{
	if (dup2(log_pipe[1], CHILD_LOG) == -1 ||
	    dup2(lifeline[0], CHILD_LIFELINE) == -1)
		_exit(71);
	for (size_t i = 0; i < slot->socket_count; i++)
		if (dup2(slot->sockets[i], CHILD_SOCKETS + (int)i) == -1)
			_exit(71);
	config_snapshot_hand_on();
	execv(slot->service->path,
	    make_arguments(slot->service, slot->socket_count));
	log_error("cannot run %s: %m", slot->service->path);
	log_flush();
	_exit(72);
}

static void
tell_bad_end(const struct child *child, int status)
{
	int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	/* One that drains is ended by our own signals in the end. */
	bool is_ours = child->slot == NULL && (signal_number == SIGTERM ||
	    signal_number == SIGHUP || signal_number == SIGKILL);

	if (signal_number != 0 && !is_ours)
		log_warning("process %s pid %ld killed by signal %d",
		    child->path, (long)child->pid, signal_number);
	else if (signal_number == 0 && WEXITSTATUS(status) != 0)
		log_warning("process %s pid %ld exit status %d", child->path,
		    (long)child->pid, WEXITSTATUS(status));
}

/* Leave the service alone for a while. */
static void
pause_service(struct service *service, int64_t pause_ms)
{
	const struct timeval pause = { pause_ms / 1000, pause_ms % 1000 * 1000 };

	service->throttled = true;
	for (size_t i = 0; i < service->slot_count; i++)
		slot_disarm(&service->slots[i]);
	event_add(service->throttle, &pause);
}

/* Each time twice as long. */
static void
pause_longer(struct service *service, int64_t longest_ms)
{
	service->throttle_ms = service->throttle_ms == 0 ? FIRST_PAUSE_MS
	    : service->throttle_ms * 2;
	if (service->throttle_ms > longest_ms)
		service->throttle_ms = longest_ms;
	pause_service(service, service->throttle_ms);
}

int
child_start(struct slot *slot)
{
	struct child *child;
	pid_t pid;

	if ((pid = fork_daemon(0)) == -1) {
		pause_longer(slot->service, FORK_PAUSE_MS);
		log_warning("%s: fork: %m; trying again in %lld ms",
		    slot->service->path,
		    (long long)slot->service->throttle_ms);
		return -1;
	}
	if (pid == 0)
		run(slot);
	child = mem_zalloc(1, sizeof(*child));
	child->pid = pid;
	child->path = mem_strdup(slot->service->path);
	child->slot = slot;
	child->started_ms = clock_ms();
	LIST_INSERT_HEAD(&children, child, link);
	slot->running++;
	return 0;
}

/*
 * It failed at once: each time the pause is twice as long, up to
 * service_throttle_time. Who was killed from outside (an administrator, the
 * kernel out of memory) is not at fault, and comes back after the first pause.
 */
static void
throttle(struct service *service, bool was_killed)
{
	int64_t longest_ms = (int64_t)config.service_throttle_time * 1000;

	if (service->throttled)
		return;
	if (was_killed) {
		pause_service(service, FIRST_PAUSE_MS);
		return;
	}
	log_warning("%s: bad command startup -- throttling", service->path);
	pause_longer(service, longest_ms);
}

static void
reaped(struct child *child, int status)
{
	struct slot *slot = child->slot;
	int64_t lived_ms = clock_ms() - child->started_ms;

	tell_bad_end(child, status);

	if (slot != NULL) {
		slot->running--;
		/* A quick end with status 0 that nobody asked for would go on for ever, too. */
		if (lived_ms < BAD_START_MS)
			throttle(slot->service, WIFSIGNALED(status) &&
			    WTERMSIG(status) == SIGKILL);
		else if (lived_ms > GOOD_LIFE_MS)
			slot->service->throttle_ms = 0;
		service_resume(slot->service);
	}
	LIST_REMOVE(child, link);
	free(child->path);
	free(child);
}

static struct child *
find_child(pid_t pid)
{
	struct child *child;

	LIST_FOREACH(child, &children, link)
		if (child->pid == pid)
			return child;
	return NULL;
}

/* As process 1 of a container master also buries what others left behind. */
void
children_reaped(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED |
	    WCONTINUED)) > 0) {
		struct child *child = find_child(pid);

		if (WIFSTOPPED(status) && (child != NULL || logger_is(pid)))
			stopped_watch(pid, WSTOPSIG(status));
		else
			stopped_forget(pid);
		if (WIFSTOPPED(status) || WIFCONTINUED(status))
			continue;
		if (child != NULL)
			reaped(child, status);
		else if (logger_is(pid))
			logger_reaped(status);
	}
}

void
children_forget(struct service *service, int with_signal)
{
	struct child *child;

	LIST_FOREACH(child, &children, link) {
		if (child->slot == NULL || child->slot->service != service)
			continue;
		child->slot = NULL;
		if (with_signal != 0)
			kill(child->pid, with_signal);
	}
}

void
children_signal(int signal_number)
{
	struct child *child;

	LIST_FOREACH(child, &children, link)
		kill(child->pid, signal_number);
}

size_t
children_count(void)
{
	struct child *child;
	size_t count = 0;

	LIST_FOREACH(child, &children, link)
		count++;
	return count;
}
