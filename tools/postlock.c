/*
 * postlock - run a command while a mailbox is locked
 *
 * The mailbox is an mbox file, locked as local(8) locks it for a delivery, so
 * that a script may cut or move it. The command is not given to a shell; its
 * exit status is ours.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "mailbox/mailbox.h"
#include "tools/shared/command.h"

/* The command's own failure to start is no failure to lock: 1, as scripts know it. */
#define NOT_RUN		1

static pid_t command;

static void
pass_on(int number)
{
	kill(command, number);
}

/* The terminal tells the command itself of ^C; we stay, to take the lock away. */
static void
outlive_command(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGHUP, pass_on);
	signal(SIGTERM, pass_on);
}

static void __attribute__((noreturn))
become(char **arguments, mode_t mask)
{
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	umask(mask);
	execvp(arguments[0], arguments);
	log_error("run %s: %m", arguments[0]);
	_exit(NOT_RUN);
}

static int
run(char **arguments, mode_t mask)
{
	sigset_t all, before;
	pid_t got;
	int status;

	/* A signal must find the command's number known. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	command = fork();
	if (command == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		become(arguments, mask);
	}
	if (command == -1) {
		log_error("run %s: %m", arguments[0]);
		return EX_TEMPFAIL;
	}
	outlive_command();
	sigprocmask(SIG_SETMASK, &before, NULL);
	while ((got = waitpid(command, &status, 0)) == -1 && errno == EINTR)
		continue;
	return got == command && WIFEXITED(status) ? WEXITSTATUS(status) :
	    NOT_RUN;
}

/* Open and made if it is missing, as a delivery does. */
static int
open_locked(const char *folder, const struct mailbox_lock *lock)
{
	int fd = open(folder, O_RDWR | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC,
	    0600);

	if (fd == -1)
		fatal("open file %s: %m", folder);
	if (mailbox_lock_take(AT_FDCWD, folder, fd, lock) == -1)
		fatal("open file %s: unable to lock for exclusive access: %m",
		    folder);
	return fd;
}

int
main(int argc, char **argv)
{
	const char *directory = NULL, *kinds = NULL, *folder;
	const mode_t mask = umask(077);
	int option, fd, result;

	command_start("postlock");
	while ((option = getopt(argc, argv, "+c:l:v")) != -1) {
		switch (option) {
		case 'c':
			directory = optarg;
			break;
		case 'l':
			kinds = optarg;
			break;
		case 'v':
			log_verbose++;
			break;
		default:
			optind = argc;
			break;
		}
	}
	fatal_exit_code = EX_TEMPFAIL;
	if (optind + 2 > argc)
		fatal("usage: postlock [-c config_dir] [-l lock_style] [-v] "
		    "folder command...");
	command_configure(directory);
	if (kinds == NULL)
		kinds = config.mailbox_delivery_lock;
	folder = argv[optind];

	const struct mailbox_lock lock = {
		.kinds = mailbox_lock_kinds(kinds),
		.attempts = config.deliver_lock_attempts,
		.delay_s = config.deliver_lock_delay,
		.stale_s = config.stale_lock_time,
	};

	if (lock.kinds == 0)
		fatal("unknown mailbox_delivery_lock value in \"%s\": use %s",
		    kinds, "fcntl, flock, dotlock");
	fd = open_locked(folder, &lock);
	result = run(argv + optind + 1, mask);
	mailbox_lock_release(AT_FDCWD, folder, &lock);
	fd_close(&fd);
	return result;
}
