/*
 * logs - the mail log and its rotations, read line by line
 *
 * A log may be of any length: it streams through a buffer. What gzip(1) has
 * compressed goes through gzip(1).
 */

#ifndef TOOLS_SHARED_LOGS_H
#define TOOLS_SHARED_LOGS_H

#include <stddef.h>

struct logs;

/*
 * Open log files while we may: logs_add() one by its name, or "-" for
 * standard input; logs_add_usual() where the suite logs, with its rotations, the
 * oldest first. Both give 0, or -1 with errno.
 */
struct logs *logs_new(void);
int	logs_add(struct logs *logs, const char *path);
int	logs_add_usual(struct logs *logs);

/* Call on_line for every line of all, without its line end. What cannot be read is told, and passed over. */
void	logs_read(struct logs *logs, void (*on_line)(const char *line,
	    size_t length, void *context), void *context);

void	logs_free(struct logs **logs);

#endif
