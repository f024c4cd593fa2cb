/*
 * lines - logical lines, as main.cf, master.cf and the sources of tables have them
 *
 * A line that begins with white space continues the one before. Lines that
 * are blank or begin with # (after white space, too) are skipped, also
 * between a line and its continuation. The white space of a continuation
 * stays, the line end before it goes.
 */

#ifndef CONFIG_LINES_H
#define CONFIG_LINES_H

#include "base/text.h"

struct lines {
	const char	*next;		/* what was not read yet */
	const char	*end;
	int		 number;	/* of the line at next */
	int		 first;		/* where the line given last began */
	struct text	 line;
};

/* Begin with a text, which is borrowed until lines_close(). */
void	lines_open(struct lines *lines, const char *text, size_t length);

/*
 * The next logical line, without its line end; NULL at the end. Borrowed, and
 * the caller may write into it, until the next call. A NUL byte cuts the line
 * as seen as a string: lines->line.length tells. Only a first line may begin
 * with white space: it continues nothing, which is for the caller to refuse.
 */
char	*lines_next(struct lines *lines);

void	lines_close(struct lines *lines);

#endif
