/* What showing and editing master.cf have in common. */

#ifndef TOOLS_SHARED_POSTCONF_MASTER_H
#define TOOLS_SHARED_POSTCONF_MASTER_H

#include <stdbool.h>

#include "base/text.h"
#include "config/master_cf.h"

/* "service", "type"... "command"; NULL at the end. */
extern const char *const postconf_columns[];

bool	postconf_name_fits(const char *pattern, const char *name);

/* The last column of an entry, its arguments included. Released with free(3). */
char	*postconf_command(const struct master_entry *entry);

/* Append an entry as a line with its line end; with fold each argument on a line of its own. */
void	postconf_format_entry(const struct master_entry *entry, bool fold,
	    struct text *out);

#endif
