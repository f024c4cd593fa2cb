/*
 * A stopped process (SIGSTOP, a terminal's SIGTTOU) neither works nor ends:
 * its clients would wait for as long as somebody likes. Death, in contrast,
 * is something that everybody here can bear at any instant, so a process
 * that stays stopped is killed, and another takes its place and its work.
 * A debugger that holds a process is not told to us, and not disturbed.
 */

#include <signal.h>
#include <stdlib.h>

#include "base/base.h"
#include "master/master.h"

#define PATIENCE_MS	500

struct stopped {
	LIST_ENTRY(stopped)	 link;
	pid_t			 pid;
	int			 signal_number;
	struct event		*patience;
};

static LIST_HEAD(, stopped) all = LIST_HEAD_INITIALIZER(all);

static void
on_patience_over(evutil_socket_t fd, short what, void *context)
{
	const struct stopped *stopped = context;

	log_warning("process %ld was stopped by signal %d and does not go on: "
	    "killing it, so that another takes its place",
	    (long)stopped->pid, stopped->signal_number);
	kill(stopped->pid, SIGKILL);
}

void
stopped_watch(pid_t pid, int signal_number)
{
	const struct timeval patience = { PATIENCE_MS / 1000,
	    PATIENCE_MS % 1000 * 1000 };
	struct stopped *stopped = mem_zalloc(1, sizeof(*stopped));

	stopped_forget(pid);
	stopped->pid = pid;
	stopped->signal_number = signal_number;
	stopped->patience = event_new(master_base, -1, 0, on_patience_over,
	    stopped);
	event_add(stopped->patience, &patience);
	LIST_INSERT_HEAD(&all, stopped, link);
}

void
stopped_forget(pid_t pid)
{
	struct stopped *stopped;

	LIST_FOREACH(stopped, &all, link)
		if (stopped->pid == pid)
			break;
	if (stopped == NULL)
		return;
	LIST_REMOVE(stopped, link);
	event_free(stopped->patience);
	free(stopped);
}
