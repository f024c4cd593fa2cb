/* Master's life: the lock, the log, the services; then signals until the end. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/report.h"
#include "master/master.h"
#include "service/supervision.h"

#define DESCRIPTORS_MIN	256	/* those of a child are below 128, ours above */
#define LEAVE_MS	8000	/* daemons have five seconds for what is in hand */

struct event_base *master_base;

static struct event *leave_timer;
static bool stopping;

/* Keep what import_environment names, set its name=value, and forget the rest. */
static void
clean_environment(void)
{
	struct text kept = TEXT_EMPTY;
	char *word;

	/* What systemd and sanitizers need, and then the administrator's list. */
	text_printf(&kept, "NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID "
	    "ASAN_OPTIONS UBSAN_OPTIONS %s", config.import_environment);

	char *list = text_take(&kept), *cursor = list, *settings[128];
	size_t count = 0;

	/* Values are copied before the old environment goes. */
	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL &&
	    count < COUNT_OF(settings)) {
		const char *value = getenv(word);

		if (strchr(word, '=') != NULL)
			settings[count++] = mem_strdup(word);
		else if (value != NULL)
			settings[count++] = mem_printf("%s=%s", word, value);
	}
	free(list);
	clearenv();
	for (size_t i = 0; i < count; i++)
		putenv(settings[i]);
	setenv("MAIL_CONFIG", config.config_directory, 1);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
}

/*
 * Into the background, once the services are there: the parent waits on a
 * pipe, which ends without a byte when the start fails. Gives the pipe's end.
 */
static int
go_to_background(void)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe2(ready, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		fatal("go to the background: %m");
	if (pid != 0) {
		close(ready[1]);
		_exit(read(ready[0], &byte, 1) == 1 ? 0 : 1);
	}
	close(ready[0]);
	setsid();
	return ready[1];
}

/* Before a daemon is started: none may hold the terminal, or the pipe of who started us. */
static void
leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= 2 && null != -1; fd++)
		if (fd != STDOUT_FILENO ||
		    strcmp(config.maillog_file, "/dev/stdout") != 0)
			dup2(null, fd);
	fd_close(&null);
}

static void
tell_parent(int *ready)
{
	if (*ready != -1 && write(*ready, "r", 1) == -1)
		log_warning("tell the command that started me: %m");
	fd_close(ready);
}

static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
		if (limit.rlim_max < DESCRIPTORS_MIN)
			fatal("%llu descriptors are not enough: at least %d "
			    "(ulimit -n, LimitNOFILE)",
			    (unsigned long long)limit.rlim_max, DESCRIPTORS_MIN);
	}
}

static void
end_if_done(void)
{
	if (stopping && children_count() == 0)
		event_base_loopexit(master_base, NULL);
}

static void
on_child(evutil_socket_t number, short what, void *context)
{
	children_reaped();
	end_if_done();
}

static void
on_leave_over(evutil_socket_t fd, short what, void *context)
{
	log_warning("%zu processes did not end in time: killing them",
	    children_count());
	children_signal(SIGKILL);
}

/* TERM: daemons finish what they have in hand. QUIT: they do not. */
static void
on_stop(evutil_socket_t number, short what, void *context)
{
	const struct timeval patience = { LEAVE_MS / 1000, 0 };

	if (!stopping)
		log_info("terminating on signal %d", (int)number);
	stopping = true;
	supervision_tell("STOPPING=1\nSTATUS=stopping");
	services_stop();
	children_signal(number == SIGQUIT ? SIGKILL : SIGTERM);
	event_add(leave_timer, &patience);
	end_if_done();
}

static void
tell_ready(void)
{
	struct service *service;
	char state[128];
	size_t count = 0;

	TAILQ_FOREACH(service, &services, link)
		count++;
	snprintf(state, sizeof(state),
	    "READY=1\nSTATUS=%zu services\nMAINPID=%ld", count,
	    (long)getpid());
	supervision_tell(state);
}

static void
on_reload(evutil_socket_t number, short what, void *context)
{
	char state[128];

	if (stopping)
		return;
	snprintf(state, sizeof(state),
	    "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading",
	    (long long)clock_us());
	supervision_tell(state);
	log_info("reload -- version %s, configuration %s",
	    config.mail_version, config.config_directory);
	if (config_load(config.config_directory, NULL) == -1 ||
	    services_load(false) == -1)
		log_error("the configuration has errors, see above: going on with the old one");
	else {
		services_start();
		services_name_missing();
		config_report();
		logger_reload();
	}
	tell_ready();
}

static void
catch_signals(void)
{
	static const struct {
		int	number;
		void	(*act)(evutil_socket_t, short, void *);
	} signals[] = {
		{ SIGTERM, on_stop }, { SIGINT, on_stop }, { SIGQUIT, on_stop },
		{ SIGHUP, on_reload }, { SIGCHLD, on_child },
	};

	for (size_t i = 0; i < COUNT_OF(signals); i++)
		evsignal_add(evsignal_new(master_base, signals[i].number,
		    signals[i].act, NULL), NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	leave_timer = event_new(master_base, -1, 0, on_leave_over, NULL);
}

int
master_run(bool foreground)
{
	int ready = foreground ? -1 : go_to_background();
	char *tag = mem_printf("%s/master", config.syslog_name);

	lock_take();
	lock_write_pid();
	raise_descriptor_limit();
	umask(077);
	clean_environment();
	master_base = event_base_new();
	catch_signals();
	logger_open_pipe();

	/* What goes wrong until here and with the sockets is told on standard error. */
	if (services_load(true) == -1)
		fatal("not started: see above");
	if (!foreground)
		leave_terminal();
	log_open_pipe(log_pipe[1], tag);
	logger_start();
	log_info("daemon started -- version %s, configuration %s",
	    config.mail_version, config.config_directory);
	services_name_missing();
	config_report();
	services_start();
	tell_parent(&ready);
	notify_start_watchdog();
	tell_ready();
	while (!event_base_got_exit(master_base)) {
		log_flush();
		event_base_loop(master_base, EVLOOP_ONCE);
	}

	logger_stop();
	lock_release();
	return 0;
}
