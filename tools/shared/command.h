/*
 * command - what every command stands on
 *
 * A command may be set-gid (postdrop, postqueue), and then everything that
 * its caller hands down is hostile: closed descriptors, an environment, a
 * file mode mask, resource limits, a configuration of his own making.
 */

#ifndef TOOLS_SHARED_COMMAND_H
#define TOOLS_SHARED_COMMAND_H

#include <stdbool.h>

#include "base/log.h"

/*
 * First of all: descriptors 0 to 2 are open, signals and limits are sane, a
 * set-gid program's environment is empty but for MAIL_CONFIG and TZ. Lines go
 * to standard error under name, which is kept.
 */
void	command_start(const char *name);

/*
 * Read the configuration of directory (NULL: MAIL_CONFIG, or where it was
 * installed); lines go to where the suite logs from now on as well.
 * A set-gid command takes only the default one, and those that
 * alternate_config_directories in there names.
 */
void	command_configure(const char *directory);

/* Log a line where the suite logs only; under another tag than syslog_name and the command's name. */
void	command_log(enum log_level level, const char *line);
void	command_log_as(const char *tag, bool with_pid);

/* Enter the queue directory. */
void	command_enter_queue(void);

/* The name of the caller, "uid 1000" if he has none. Borrowed. */
const char *command_user(void);

/* Ends the command with EX_NOPERM unless the list in that parameter has the caller; root always is. */
void	command_authorize(const char *parameter, const char *list,
	    const char *what);

/* Ends the command unless root or, where one user runs everything, mail_owner calls. */
void	command_superuser_only(void);

/* From root to mail_owner, for good, so that what the command writes belongs to the suite. */
void	command_become_owner(void);

/* Become another program of command_directory. */
void	command_exec(const char *name, const char *const arguments[])
	    __attribute__((noreturn));

/* Its path. Released with free(3). */
char	*command_path(const char *name);

#endif
