/*
 * postlogd - write the log
 *
 * In       records in the log pipe, which master holds; datagrams of commands on public/postlog
 * Out      lines in maillog_file, or in syslog(3)
 * Touches  maillog_file (append); nothing else
 * Trusts   nobody: what is not a record is dropped, what is not printable was replaced by its sender
 * Killed   nothing is lost: the pipe stays, and the next postlogd reads on
 *
 * Nobody waits for the log: its writers drop and count lines when the pipe is
 * full. Postlogd alone may wait, for the disk and for syslog.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "postlogd/postlogd.h"
#include "sandbox/sandbox.h"

int
main(int argc, char **argv)
{
	bool has_socket = false;
	const char *why;
	int option;

	log_open_stderr("postroad/postlogd");
	while ((option = getopt(argc, argv, "s:")) != -1)
		has_socket = option == 's' && strcmp(optarg, "1") == 0;
	if (config_load(NULL, NULL) == -1)
		fatal("the configuration has errors, see above");
	output_open();
	if (sandbox_become(config.mail_owner, NULL, &why) == -1)
		fatal("cannot %s (%s): %m", why, config.mail_owner);
	sandbox_enter("postlogd", SANDBOX_SOCKETS, NULL);
	return reader_run(STDIN_FILENO, has_socket ? POSTLOG_SOCKET : -1);
}
