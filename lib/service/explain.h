/*
 * explain - what a post would do with a message, told by the post itself
 *
 * "postroad explain" runs smtpd --explain; when that has told its part it
 * runs the next post in the same way, and so on to the mailbox: smtpd,
 * cleanup, trivial-rewrite, local. Each uses the code with which it works,
 * and submits, delivers and changes nothing.
 *
 *	PROGRAM --explain [-o name=value]... argument...
 */

#ifndef SERVICE_EXPLAIN_H
#define SERVICE_EXPLAIN_H

#include <stdbool.h>

#include "base/text.h"
#include "config/master_cf.h"
#include "table/table.h"

/* Is that what this process was started for? */
bool	explain_is_wanted(int argc, char **argv);

/* Another value of a parameter, for this post and those after it: "name=value". Keeps it. */
void	explain_override(const char *override);

/* The -o before the arguments, for posts other than the first. Gives the place of the first argument. */
int	explain_options(int argc, char **argv);

/* The services of master.cf, read once; none if it cannot be read. */
const struct master_cf *explain_services(void);

/* The service of that name that is no socket of the network; NULL. */
const struct master_entry *explain_service(const char *name);

/* Be that service: its configuration, with its -o and ours, in the queue directory. NULL: main.cf alone. Exits if that fails. */
void	explain_begin(const struct master_entry *service);

/* From now on each look-up in a table is told, with the line that answered. */
void	explain_tables(void);

/* One look-up, as a line. */
void	explain_look_up(struct text *line, struct table *table,
	    const char *key, enum table_answer answer, const char *value);

/* The next post's part. arguments ends in NULL. */
void	explain_next(const char *program, const char *const *arguments);

/*
 * Run a daemon of our own for this service, as master would, with the
 * configuration as it is now: it answers at a socket of ours and ends with us. Gives
 * the socket's path, which lives for ever; NULL if it cannot be run.
 */
const char *explain_run_daemon(const char *program, const char *service);

/* How often a message became another one on the way here; explain_enter_child() adds one. */
int	explain_depth(void);
void	explain_enter_child(void);

void	explain_fail(const char *format, const char *what)
	    __attribute__((noreturn, format(printf, 1, 0)));

#endif
