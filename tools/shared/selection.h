/*
 * selection - which messages a command is to act on, and --dry-run
 *
 * postqueue and postsuper share these options: the criteria of
 * listing/select.h as --from, --to..., and --dry-run, which shows what would
 * be done and does nothing.
 */

#ifndef TOOLS_SHARED_SELECTION_H
#define TOOLS_SHARED_SELECTION_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "listing/select.h"

struct selection {
	struct listing_selection criteria;
	bool	dry_run;
};

/* For getopt_long(3). */
const struct option *selection_options(void);

/*
 * Take an option that getopt_long(3) gave; false if it is none of these. A
 * value that makes no sense ends the command with a line that names the option.
 */
bool	selection_take(struct selection *selection, int option, const char *value);

/* getopt_long(3) refused an option: ends the command, with its name, if that was a long one. */
void	selection_refuse(char *const argv[]);

/* Is this message meant now? */
bool	selection_has(const struct selection *selection,
	    const struct listed_message *message);

/* --dry-run: one line of what would be done to the message ("removed"), and at the end how many there were. */
void	selection_show(const struct listed_message *message, const char *what);
void	selection_show_sum(size_t count, const char *what);

#endif
