#include "named-lite/console.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "named-lite/report.h"

static int output = STDERR_FILENO;
static int started = -1;	/* the pipe to the process that the shell waits for */

static void (*sink)(enum log_level level, const char *line);

static void
write_line(enum log_level level, const char *line)
{
	int64_t now = clock_wall_us();
	time_t seconds = now / 1000000;
	struct tm tm;
	char stamp[40], whole[LOG_TEXT_MAX + 80];
	int length;

	localtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), "%d-%b-%Y %H:%M:%S", &tm);
	length = snprintf(whole, sizeof(whole), "%s.%03d %s\n", stamp,
	    (int)(now / 1000 % 1000), report_bare(line));
	if (length > 0)
		(void)!write(output, whole, (size_t)length <
		    sizeof(whole) ? (size_t)length : sizeof(whole) - 1);
}

static void
send_line(enum log_level level, const char *line)
{
	static const int priorities[] = {
		[LOG_LEVEL_DEBUG] = LOG_DEBUG, [LOG_LEVEL_INFO] = LOG_INFO,
		[LOG_LEVEL_WARNING] = LOG_WARNING, [LOG_LEVEL_ERROR] = LOG_ERR,
		[LOG_LEVEL_FATAL] = LOG_CRIT, [LOG_LEVEL_PANIC] = LOG_CRIT,
	};

	syslog(priorities[level], "%s", report_bare(line));
}

void
console_open(void)
{
	tzset();
	sink = write_line;
	console_resume();
}

void
console_open_file(const char *path)
{
	output = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (output == -1)
		fatal("cannot write to %s: %m", path);
	console_open();
}

void
console_open_syslog(void)
{
	/* Connected now: later there may be no /dev/log to be seen. */
	openlog("named", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	sink = send_line;
	console_resume();
}

void
console_resume(void)
{
	log_open_function(sink);
}

void
console_detach(void)
{
	int pipe_fds[2], null;
	char byte;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		fatal("cannot go into the background: %m");
	if (pid > 0) {
		fd_close(&pipe_fds[1]);
		_exit(read(pipe_fds[0], &byte, 1) == 1 ? EXIT_SUCCESS :
		    EXIT_FAILURE);
	}
	fd_close(&pipe_fds[0]);
	started = pipe_fds[1];
	setsid();
	null = open("/dev/null", O_RDWR);
	if (null != -1) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
}

void
console_started(void)
{
	if (started != -1)
		(void)!write(started, "", 1);
	fd_close(&started);
}
