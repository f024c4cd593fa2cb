/*
 * postroad - start, stop and check the mail system, and tell a message's story
 *
 * Start and stop act on master, whose lock on pid/master.pid tells its number.
 * What check looks for stands in tools/shared/check.c, where a story comes
 * from in tools/shared/trace.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "ipc/ipc.h"
#include "tools/shared/check.h"
#include "tools/shared/manifest.h"
#include "tools/shared/trace.h"

#define STOP_SECONDS	15	/* master gives its daemons eight */
#define NAME		"postroad/postroad-script"

/* The number of the master that holds the lock; 0 if none does. */
static pid_t
running_master(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char *path = mem_printf("%s/%s/master.pid", config.queue_directory,
	    config.process_id_directory);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	pid_t pid = 0;

	free(path);
	if (fd != -1 && fcntl(fd, F_GETLK, &lock) == 0 &&
	    lock.l_type != F_UNLCK)
		pid = lock.l_pid;
	fd_close(&fd);
	return pid;
}

static pid_t
must_run(void)
{
	pid_t pid = running_master();

	if (pid == 0)
		fatal("the %s mail system is not running", config.mail_name);
	return pid;
}

static int
run_master(bool foreground)
{
	char *program = mem_printf("%s/master", config.daemon_directory);

	if (running_master() != 0)
		fatal("the %s mail system is already running",
		    config.mail_name);
	if (check_before_start() > 0)
		fatal("not started: see above");
	log_info("starting the %s mail system", config.mail_name);
	execl(program, "master", "-c", config.config_directory,
	    foreground ? "-s" : "-w", (char *)NULL);
	fatal("cannot run %s: %m", program);
}

static int
do_start(void)
{
	return run_master(false);
}

static int
do_start_fg(void)
{
	return run_master(true);
}

static int
signal_master(int number, const char *what)
{
	pid_t pid = must_run();

	log_info("%s the %s mail system", what, config.mail_name);
	if (kill(pid, number) == -1)
		fatal("signal process %ld: %m", (long)pid);
	return 0;
}

static int
wait_until_gone(void)
{
	for (int i = 0; i < STOP_SECONDS * 50; i++) {
		if (running_master() == 0)
			return 0;
		usleep(20 * 1000);
	}
	log_warning("still running after %d seconds; killing it", STOP_SECONDS);

	pid_t pid = running_master();

	if (pid != 0)
		kill(pid, SIGKILL);
	return 0;
}

static int
do_stop(void)
{
	signal_master(SIGTERM, "stopping");
	return wait_until_gone();
}

static int
do_abort(void)
{
	signal_master(SIGQUIT, "aborting");
	return wait_until_gone();
}

static int
do_reload(void)
{
	must_run();
	if (check_before_start() > 0)
		fatal("not reloaded: see above");
	return signal_master(SIGHUP, "refreshing");
}

static int
do_flush(void)
{
	must_run();

	char *path = mem_printf("public/%s", config.queue_service_name);

	if (ipc_nudge(path, "flush") == -1)
		fatal("reach the queue manager at %s/%s: %m",
		    config.queue_directory, path);
	return 0;
}

static int
do_status(void)
{
	pid_t pid = running_master();

	if (pid == 0) {
		log_info("the %s mail system is not running",
		    config.mail_name);
		return 1;
	}
	log_info("the %s mail system is running: PID: %ld", config.mail_name,
	    (long)pid);
	return 0;
}

static int
do_check(void)
{
	return check_all() > 0;
}

static int
do_set_permissions(void)
{
	return manifest_apply(true) > 0;
}

/* smtpd has the code that decides; it tells what it would do. */
static int
explain_command(int argc, char **argv)
{
	char *program = mem_printf("%s/smtpd", config.daemon_directory);
	char **words = mem_zalloc((size_t)argc + 2, sizeof(*words));

	words[0] = program;
	words[1] = mem_strdup("--explain");
	for (int i = 1; i < argc; i++)
		words[i + 1] = argv[i];
	execv(program, words);
	fatal("cannot run %s: %m", program);
}

/* trace and explain take arguments; trace finds its way to the queue when it has opened its files. */
static const struct command {
	const char	*name;
	int		(*run)(void);
	const char	*what;
	int		(*run_with)(int argc, char **argv);
} commands[] = {
	{ "start", do_start, "start in the background", NULL },
	{ "start-fg", do_start_fg, "start in the foreground, for containers and supervisors", NULL },
	{ "stop", do_stop, "stop; deliveries under way are finished", NULL },
	{ "abort", do_abort, "stop at once", NULL },
	{ "reload", do_reload, "read the configuration again; no session is dropped", NULL },
	{ "flush", do_flush, "try to deliver all waiting mail now", NULL },
	{ "status", do_status, "say whether it runs; exit 0 if it does", NULL },
	{ "check", do_check, "look for mistakes in configuration, files and tables", NULL },
	{ "set-permissions", do_set_permissions, "make directories and set owners and modes", NULL },
	{ "explain", NULL, "tell what would happen to a client's mail, and why: explain --to RECIPIENT ...", explain_command },
	{ "trace", NULL, "tell the story of a message: trace ID|MESSAGE-ID|ADDRESS", trace_command },
};

static void __attribute__((noreturn))
usage(void)
{
	fprintf(stderr, "usage: postroad [-c config_dir] [-Dv] command\n");
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		fprintf(stderr, "  %-16s %s\n", commands[i].name,
		    commands[i].what);
	exit(1);
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	}
	usage();
}

/* A queue directory that is missing is made, but where that is what the command is there to tell. */
static void
enter_queue(const char *command)
{
	if (chdir(config.queue_directory) == -1 &&
	    strcmp(command, "set-permissions") != 0 &&
	    strcmp(command, "check") != 0 &&
	    (errno != ENOENT || manifest_apply(false) > 0 ||
	    chdir(config.queue_directory) == -1))
		fatal("enter queue_directory %s: %m", config.queue_directory);
}

int
main(int argc, char **argv)
{
	const char *directory = NULL;
	const struct command *command;
	int option;

	log_open_stderr(NAME);
	fatal_exit_code = 1;
	while ((option = getopt(argc, argv, "+c:Dv")) != -1) {
		switch (option) {
		case 'c':
			directory = optarg;
			break;
		case 'v':
			log_verbose++;
			break;
		case 'D':
			break;
		default:
			usage();
		}
	}
	if (optind == argc)
		usage();
	command = find_command(argv[optind]);
	if (command->run_with == NULL && optind + 1 != argc)
		usage();
	if (directory != NULL)
		setenv("MAIL_CONFIG", directory, 1);
	if (config_load(directory, NULL) == -1)
		fatal("the configuration has errors, see above");
	log_open_stderr(mem_printf("%s/postroad-script", config.syslog_name));
	if (command->run_with != NULL)
		return command->run_with(argc - optind, argv + optind);
	enter_queue(command->name);
	return command->run();
}
