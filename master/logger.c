/*
 * The log pipe. Master holds both ends for ever, so that a postlogd that dies
 * loses nothing: the next one reads on where it stopped.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/snapshot.h"
#include "master/master.h"

#define PIPE_SIZE	(1 << 20)
#define FIRST_FD	128
#define RESTART_MS	200
#define STOP_MS		5000

enum { POSTLOGD_SOCKET = 5 };

int log_pipe[2] = { -1, -1 };

static pid_t logger = -1;
static int postlog_socket = -1;
static struct event *restart;

void
logger_open_pipe(void)
{
	int low[2];

	if (pipe2(low, O_CLOEXEC) == -1 || pipe2(lifeline, O_CLOEXEC) == -1)
		fatal("make a pipe: %m");
	for (int i = 0; i < 2; i++) {
		int high = fcntl(lifeline[i], F_DUPFD_CLOEXEC, FIRST_FD);

		log_pipe[i] = fcntl(low[i], F_DUPFD_CLOEXEC, FIRST_FD);
		close(low[i]);
		close(lifeline[i]);
		lifeline[i] = high;
	}
	fcntl(log_pipe[1], F_SETPIPE_SZ, PIPE_SIZE);
	fd_nonblocking(log_pipe[1], true);
}

/* Where commands send their lines: for users of any kind, so it stands in public/. */
static void
open_postlog_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX,
	    .sun_path = "public/postlog" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	unlink(address.sun_path);
	if (fd == -1 || bind(fd, (struct sockaddr *)&address,
	    sizeof(address)) == -1) {
		log_warning("open %s/%s: %m", config.queue_directory,
		    address.sun_path);
		fd_close(&fd);
		return;
	}
	if (chmod(address.sun_path, 0666) == -1)
		log_warning("chmod %s: %m", address.sun_path);
	postlog_socket = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
	close(fd);
}

static void __attribute__((noreturn))
run_postlogd(const char *path)
{
	config_snapshot_hand_on();
	if (dup2(log_pipe[0], STDIN_FILENO) == -1 ||
	    (postlog_socket != -1 &&
	    dup2(postlog_socket, POSTLOGD_SOCKET) == -1))
		_exit(71);
	execl(path, "postlogd", "-s", postlog_socket == -1 ? "0" : "1",
	    (char *)NULL);
	_exit(72);
}

static void	on_restart(evutil_socket_t fd, short what, void *context);

static void
try_again(void)
{
	const struct timeval pause = { 0, RESTART_MS * 1000 };

	if (restart == NULL)
		restart = event_new(master_base, -1, 0, on_restart, NULL);
	event_add(restart, &pause);
}

void
logger_start(void)
{
	char *path = mem_printf("%s/postlogd", config.daemon_directory);

	if (postlog_socket == -1)
		open_postlog_socket();
	/* No SIGHUP before postlogd can handle it: the first reload may come at once. */
	logger = fork_daemon(SIGHUP);
	if (logger == 0)
		run_postlogd(path);
	if (logger == -1) {
		log_warning("%s: fork: %m; trying again", path);
		try_again();
	}
	free(path);
}

static void
on_restart(evutil_socket_t fd, short what, void *context)
{
	if (logger == -1)
		logger_start();
}

bool
logger_is(pid_t pid)
{
	return pid == logger;
}

void
logger_reaped(int status)
{
	pid_t pid = logger;

	logger = -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		logger_start();		/* it was told to open its file anew */
		return;
	}
	log_warning("process %s/postlogd pid %ld %s %d",
	    config.daemon_directory, (long)pid, WIFSIGNALED(status) ?
	    "killed by signal" : "exit status", WIFSIGNALED(status) ?
	    WTERMSIG(status) : WEXITSTATUS(status));
	try_again();
}

/* It finishes its line and leaves; the next one opens the log by its name. */
void
logger_reload(void)
{
	if (logger != -1)
		kill(logger, SIGHUP);
}

void
logger_stop(void)
{
	int64_t deadline = clock_ms() + STOP_MS;

	log_flush();
	log_open_stderr("postroad/master");
	fd_close(&log_pipe[1]);
	fd_close(&log_pipe[0]);
	while (logger != -1 && waitpid(logger, NULL, WNOHANG) == 0) {
		if (clock_ms() > deadline) {
			kill(logger, SIGKILL);
			deadline = INT64_MAX;
		}
		usleep(2000);
	}
	unlink("public/postlog");
}
