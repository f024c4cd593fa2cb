/*
 * scan - a master file as logical lines of words (RFC 1035 section 5.1)
 *
 * Comments are gone, parentheses have joined their lines, quotes are taken
 * off; escapes stay as they are written, for whoever knows what a word means.
 */

#ifndef ZONE_SCAN_H
#define ZONE_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "dns/rdata.h"

#define SCAN_WORDS_MAX	16384	/* of one logical line */

struct scanner {
	const char *at;
	const char *end;
	unsigned line;			/* the physical line that `at` is in */
	bool	 has_blank_owner;	/* the line began with white space */
	struct dns_word *words;
	size_t	 count;
	size_t	 size;
};

void	scan_start(struct scanner *scanner, const char *bytes, size_t length);

/* The next line that has words; they point into the text. 1; 0 at the end; -1 with *why. */
int	scan_next(struct scanner *scanner, const char **why);

void	scan_stop(struct scanner *scanner);

#endif
