#include "tools/shared/command.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"

static const char *command_name, *log_tag;

/* Started with a group that its caller does not have. */
static bool
is_setgid(void)
{
	return getauxval(AT_SECURE) != 0 || getegid() != getgid();
}

/* Or the first file that we open would be taken for standard output. */
static void
open_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF &&
		    open("/dev/null", O_RDWR) != fd)
			_exit(EX_OSERR);
	}
}

static void
clean_environment(void)
{
	static const char *const kept[] = { "MAIL_CONFIG", "TZ" };
	char *values[COUNT_OF(kept)];

	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		const char *value = getenv(kept[i]);

		values[i] = value == NULL ? NULL : mem_strdup(value);
	}
	clearenv();
	setenv("PATH", "/usr/bin:/bin:/usr/sbin:/sbin", 1);
	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		if (values[i] != NULL)
			setenv(kept[i], values[i], 1);
		free(values[i]);
	}
}

static void
sane_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* a low limit of file size is an error of write(2) */
}

void
command_start(const char *name)
{
	open_standard_descriptors();
	command_name = name;
	log_open_stderr(name);
	opterr = 0;	/* usage() says enough, under this name */
	umask(077);
	sane_signals();
	if (is_setgid()) {
		const struct rlimit no_core = { 0, 0 };

		setrlimit(RLIMIT_CORE, &no_core);
		clean_environment();
	}
}

/* To the suite's own logger, as a datagram; lost if nobody listens or we may not. */
static void
send_to_postlogd(enum log_level level, const char *line)
{
	static int socket_fd = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char record[LOG_TEXT_MAX + 300];
	int64_t now = clock_wall_us();
	int length = snprintf(record, sizeof(record), "%d%lld.%06d %.200s[%d]: %.*s\n",
	    (int)level, (long long)(now / 1000000), (int)(now % 1000000),
	    log_tag, (int)getpid(), LOG_TEXT_MAX, line);

	if (socket_fd == -1)
		socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC |
		    SOCK_NONBLOCK, 0);
	if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path),
	    "%s/public/postlog", config.queue_directory) <
	    sizeof(address.sun_path))
		sendto(socket_fd, record, (size_t)length, MSG_NOSIGNAL,
		    (struct sockaddr *)&address, sizeof(address));
}

void
command_log(enum log_level level, const char *line)
{
	static const int priorities[] = {
		[LOG_LEVEL_DEBUG] = LOG_DEBUG, [LOG_LEVEL_INFO] = LOG_INFO,
		[LOG_LEVEL_WARNING] = LOG_WARNING, [LOG_LEVEL_ERROR] = LOG_ERR,
		[LOG_LEVEL_FATAL] = LOG_CRIT, [LOG_LEVEL_PANIC] = LOG_CRIT,
	};

	if (*config.maillog_file != '\0')
		send_to_postlogd(level, line);
	else
		syslog(priorities[level], "%s", line);
}

void
command_log_as(const char *tag, bool with_pid)
{
	log_tag = tag;
	openlog(tag, with_pid ? LOG_PID : 0, LOG_MAIL);
}

/* The line for the one who calls, and the same for the administrator. */
static void
log_twice(enum log_level level, const char *line)
{
	fprintf(stderr, "%s: %s\n", command_name, line);
	command_log(level, line);
}

static bool
is_alternate(const char *directory)
{
	char *list, *cursor, *word;
	bool found = false;

	if (config_load(default_config_directory, NULL) == -1)
		return false;
	list = cursor = mem_strdup(config.alternate_config_directories);
	while (!found && (word = word_next(&cursor, LIST_SEPARATORS)) != NULL)
		found = strcmp(word, directory) == 0;
	free(list);
	return found;
}

void
command_configure(const char *directory)
{
	if (directory == NULL)
		directory = getenv("MAIL_CONFIG");
	if (directory != NULL && is_setgid() && getuid() != 0 &&
	    strcmp(directory, default_config_directory) != 0 &&
	    !is_alternate(directory)) {
		fatal_exit_code = EX_USAGE;
		fatal("%s is not a configuration that any user may choose; "
		    "name it in alternate_config_directories of %s/main.cf",
		    directory, default_config_directory);
	}
	if (config_load(directory, NULL) == -1)
		fatal("the configuration has errors, see above; postroad check shows them too");
	if (directory != NULL)
		setenv("MAIL_CONFIG", directory, 1);
	command_log_as(mem_printf("%s/%s", config.syslog_name, command_name),
	    true);
	log_open_function(log_twice);
}

void
command_enter_queue(void)
{
	if (chdir(config.queue_directory) == -1) {
		fatal_exit_code = EX_UNAVAILABLE;
		fatal("enter queue_directory %s: %m", config.queue_directory);
	}
}

const char *
command_user(void)
{
	static char name[64];
	const struct passwd *entry = getpwuid(getuid());

	if (entry != NULL)
		strlcpy(name, entry->pw_name, sizeof(name));
	else
		snprintf(name, sizeof(name), "uid %ld", (long)getuid());
	return name;
}

char *
command_path(const char *name)
{
	return mem_printf("%s/%s%s", config.command_directory, program_prefix,
	    name);
}

void
command_exec(const char *name, const char *const arguments[])
{
	const char *argv[64] = { name };
	char *path = command_path(name);

	for (size_t i = 0; arguments[i] != NULL && i + 2 < COUNT_OF(argv); i++)
		argv[i + 1] = arguments[i];
	execv(path, (char *const *)(uintptr_t)argv);
	fatal_exit_code = EX_OSERR;
	fatal("run %s: %m", path);
}
