/*
 * children - a delivery that must wait gets a process of its own
 *
 * It answers qmgr itself. This process remembers for whom each of them works:
 * for one that is killed it says that all its mail waits.
 */

#include "local/local.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "delivery/later.h"
#include "delivery/submit.h"

#define CHILDREN_MAX	20
#define LEAVE_MS	4000	/* for children, when this process leaves */

/* What is being done in children: whose answer is owed if one is killed. */
static struct child {
	pid_t	 pid;		/* 0: a free place */
	uint64_t number;
	int	 connection;
} children[CHILDREN_MAX];

/* A child that ended well has answered; for one that was killed all is deferred. */
static void
forget_child(pid_t pid, int status)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *child = &children[i];

		if (child->pid != pid)
			continue;
		child->pid = 0;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return;
		log_warning("a delivery process was killed by signal %d; "
		    "its mail waits", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		deliver_answer_nothing(child->connection, child->number);
	}
}

void
children_reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		forget_child(pid, status);
}

static void
on_child(int number)
{
}

void
children_watch(void)
{
	struct sigaction action = { .sa_handler = on_child };
	sigset_t child;

	sigaction(SIGCHLD, &action, NULL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
}

void
children_wait(void)
{
	int64_t deadline_ms = clock_ms() + LEAVE_MS;
	bool is_busy = true;

	while (is_busy && clock_ms() < deadline_ms) {
		children_reap();
		is_busy = false;
		for (size_t i = 0; i < CHILDREN_MAX; i++)
			is_busy |= children[i].pid != 0;
		if (is_busy)
			usleep(20000);
	}
}

/* A free place; waits for a child to end if there is none. */
static struct child *
find_place(void)
{
	int status;
	pid_t pid;

	for (;;) {
		for (size_t i = 0; i < CHILDREN_MAX; i++)
			if (children[i].pid == 0)
				return &children[i];
		if ((pid = waitpid(-1, &status, 0)) > 0)
			forget_child(pid, status);
		else if (pid == -1 && errno != EINTR)
			memset(children, 0, sizeof(children));
	}
}

int
children_begin(int connection, uint64_t number)
{
	struct child *child = find_place();

	log_flush();

	pid_t parent = getpid(), pid = fork();

	if (pid > 0)
		*child = (struct child) { pid, number, connection };
	if (pid == -1)
		log_warning("cannot fork a delivery process: %m; its mail waits");
	if (pid != 0)
		return pid > 0 ? 1 : -1;
	/*
	 * It has the connection to qmgr open, who learns from its end that the
	 * parent is gone: so it must not outlive the parent.
	 */
	command_obey_sigterm();
	die_with_parent();
	if (getppid() != parent)
		_exit(1);
	delivery_submit_forget();
	later_leave();
	return 0;
}
