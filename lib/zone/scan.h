/*
 * scan - a master file as logical lines of words (RFC 1035 section 5.1)
 *
 * Comments are gone, parentheses have joined their lines, quotes are taken
 * off; escapes stay as they are written, for whoever knows what a word means.
 * A file is read piece by piece: in memory is never more than a piece, or the
 * longest line.
 */

#ifndef ZONE_SCAN_H
#define ZONE_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "dns/rdata.h"

#define SCAN_WORDS_MAX	16384	/* of one logical line */
#define SCAN_LINE_MAX	(4 << 20)	/* octets of one logical line */

struct scanner {
	const char *at;
	const char *end;
	unsigned line;			/* the physical line that `at` is in */
	unsigned first;			/* ... and that in which the logical line began */
	bool	 has_blank_owner;	/* the line began with white space */
	struct dns_word *words;
	size_t	 count;
	size_t	 size;
	int	 fd;			/* where more comes from; -1: nowhere */
	char	*buffer;		/* of a file */
	size_t	 buffer_size;
	size_t	 octets;		/* of it that were read so far */
	bool	 lacks_newline;		/* the last line of the file had none */
};

/* Scan memory, or a file that stays the caller's. */
void	scan_start(struct scanner *scanner, const char *bytes, size_t length);
void	scan_start_file(struct scanner *scanner, int fd);

/* The next line that has words; they are there until the next call. 1; 0 at the end; -1 with *why. */
int	scan_next(struct scanner *scanner, const char **why);

void	scan_stop(struct scanner *scanner);

#endif
