/*
 * authd - who are you? And then, as that user, a session at the mailbox
 *
 * In       logins from pop3d: user, password, the client's socket
 * Out      yes, no, or not now; on yes a session process has the socket
 * Touches  the passwd-file (read); no network socket of its own
 * Trusts   the passwd-file. pop3d may try passwords and no more: without a
 *          right one there is no session, and no mailbox that it could open
 * Killed   logins under way are answered "try again"; sessions go on
 *
 * Two processes. This one reads passwords and starts nothing; the other was
 * forked from it before it had read any, reads none, and forks a session for
 * each login: a process that becomes the mailbox's user, opens the Maildir,
 * closes every other door, and only then listens to the client. So neither a
 * session nor what starts it has ever held anyone's password.
 */

#include "authd/authd.h"

#include <libgen.h>

#include "base/base.h"
#include "config/config.h"

static struct sandbox_path passwd_directory[2];

static void
start(void)
{
	sessions_start();
	passwd_directory[0].path = dirname(mem_strdup(config.auth_passwd_file));
	login_start();
}

int
main(int argc, char **argv)
{
	static const struct service authd = {
		.name	    = "authd",
		.start	    = start,
		.serve	    = login_serve,
		.stays_root = true,
		.sandbox    = SANDBOX_READ | SANDBOX_READ_ANY,
		.paths	    = passwd_directory,
	};

	return service_worker(&authd, argc, argv);
}
