/*
 * authority - who may do it
 *
 * Apart from command.c, since most commands ask nobody, and what lists are
 * matched with takes longer to load than sendmail to run.
 */

#include <pwd.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "sandbox/sandbox.h"
#include "table/match.h"
#include "tools/shared/command.h"

void
command_authorize(const char *parameter, const char *list, const char *what)
{
	if (getuid() == 0 || strcmp(list, "static:anyone") == 0)
		return;

	struct match_list *users = match_list_open(parameter, list);

	if (match_string(users, command_user()) != TABLE_FOUND) {
		fatal_exit_code = EX_NOPERM;
		fatal("User %s(%ld) is not allowed to %s", command_user(),
		    (long)getuid(), what);
	}
	match_list_close(&users);
}

void
command_superuser_only(void)
{
	const struct passwd *owner = getpwnam(config.mail_owner);

	if (geteuid() != 0 && (owner == NULL || owner->pw_uid != geteuid())) {
		fatal_exit_code = EX_NOPERM;
		fatal("use of this command is reserved for the superuser");
	}
}

void
command_become_owner(void)
{
	const char *why;

	if (sandbox_become(config.mail_owner, NULL, &why) == -1) {
		fatal_exit_code = EX_OSERR;
		fatal("cannot %s (%s): %m", why, config.mail_owner);
	}
}
