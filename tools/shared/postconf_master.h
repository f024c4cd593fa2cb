/* What showing and editing master.cf have in common. */

#ifndef TOOLS_SHARED_POSTCONF_MASTER_H
#define TOOLS_SHARED_POSTCONF_MASTER_H

#include <stdbool.h>

#include "base/text.h"
#include "config/master_cf.h"
#include "tools/shared/postconf.h"

/* "service", "type"... "command"; NULL at the end. */
extern const char *const postconf_columns[];

/* master.cf, read once; with an error in it, or if it is required and not there, the program ends. */
const struct master_cf *postconf_master_cf(bool required);

/* The names in an argument of master.cf are read by somebody. */
void	postconf_note(const char *argument);

/* A value as the service of entry (NULL: none) would see it. Borrowed until the next call. */
const char *postconf_expand(const char *value,
	    const struct master_entry *entry);

bool	postconf_name_fits(const char *pattern, const char *name);

/* "smtp/inet", perhaps with wildcards, or what begins a longer pattern: does the entry fit as far as that goes? */
bool	postconf_entry_fits(const struct master_entry *entry,
	    const char *pattern);

/* The last column of an entry, its arguments included. Released with free(3). */
char	*postconf_command(const struct master_entry *entry);

/* Append an entry as a line with its line end; folded, each -o has a line of its own, and the rest what fits. */
void	postconf_format_entry(const struct postconf_style *style,
	    const struct master_entry *entry, struct text *out);

#endif
