/*
 * select - which messages of a listing are meant
 *
 * A selection is what --from, --to, --domain, --older, --newer, --larger,
 * --smaller, --reason, --login and --queue say of postqueue and postsuper.
 * All that were given must hold; those that speak of a recipient (--to,
 * --domain, --reason) must hold of one and the same.
 */

#ifndef LISTING_SELECT_H
#define LISTING_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "listing/listing.h"

/* All zeros select everything. Strings are borrowed from who set them. */
struct listing_selection {
	const char	*from, *to, *domain, *reason, *login, *queues;
	const char	*older, *newer, *larger, *smaller;
	int64_t		 older_s, newer_s;
	int64_t		 larger_bytes, smaller_bytes;
};

/* The names of the criteria, without their dashes; NULL past the last. */
const char *listing_criterion(size_t n);

/* Set criterion n. 0, or -1 with *why: what is wrong with value, or that it was set before. Keeps value. */
int	listing_selection_set(struct listing_selection *selection, size_t n,
	    const char *value, const char **why);

/* Does it select anything less than everything? */
bool	listing_selection_is_set(const struct listing_selection *selection);

/* Is this message meant, at this time? */
bool	listing_selects(const struct listing_selection *selection,
	    const struct listed_message *message, int64_t now);

/*
 * An address against a pattern: as it is, as a shell pattern, or "@domain";
 * case counts in the part before the @ only. "<>" is the null sender.
 */
bool	listing_address_matches(const char *pattern, const char *address);

#endif
