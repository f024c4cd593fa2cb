/*
 * master - start the daemons, keep their sockets, and outlive them all
 *
 * In       master.cf and main.cf; signals: TERM stop, QUIT abort, HUP reload
 * Out      a process for each service that somebody waits for; the log pipe; sd_notify(3)
 * Touches  its sockets in public/ and private/, pid/master.pid; no mail
 * Trusts   its configuration; children only by their exit status
 * Killed   every child sees its lifeline end, finishes what it has in hand and leaves
 *
 * The sockets are bound before anything is forked and stay open here for ever,
 * so that no client is refused while a daemon restarts or the configuration is
 * read anew. Children report nothing: master sees a connection that waits, and
 * a process that ended. It waits for nobody: not for the log (a pipe that drops
 * when full), not for a wake-up, not for a child.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "master/master.h"

static void
usage(void)
{
	fatal("usage: master [-c config_dir] [-d | -i | -s] [-t] [-v] [-w]");
}

int
main(int argc, char **argv)
{
	bool foreground = false, test_lock = false;
	const char *directory = NULL;
	int option;

	log_open_stderr("postroad/master");
	fatal_exit_code = 1;
	while ((option = getopt(argc, argv, "c:distvw")) != -1) {
		switch (option) {
		case 'c':
			directory = optarg;
			break;
		case 'd': case 'i': case 's':
			foreground = true;
			break;
		case 't':
			test_lock = true;
			break;
		case 'v':
			log_verbose++;
			break;
		case 'w':	/* it always waits until the services are there */
			break;
		default:
			usage();
		}
	}
	if (config_load(directory, NULL) == -1)
		fatal("the configuration has errors, see above");
	if (chdir(config.queue_directory) == -1)
		fatal("enter queue_directory %s: %m; run postroad set-permissions",
		    config.queue_directory);
	if (test_lock)
		return lock_is_free() ? 0 : 1;
	return master_run(foreground);
}
