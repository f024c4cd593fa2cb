/* logfile - a file that lines are added to, with its older versions */

#ifndef NAMED_LITE_SCRIBE_LOGFILE_H
#define NAMED_LITE_SCRIBE_LOGFILE_H

#include "base/base.h"
#include "named/logging.h"

struct logfile {
	const char *path;
	const struct log_form *form;
	struct text waiting;	/* lines that are not written yet */
	int	 fd;
	uint64_t size;		/* of the file */
	bool	 is_begun;	/* written to since it was configured */
	const char *trouble;	/* what was told of already; NULL none */
};

/* Begin; path and form are kept. A file that cannot be opened is told now. */
void	logfile_init(struct logfile *file, const char *path,
	    const struct log_form *form);

/* Close, with what waits written. */
void	logfile_clear(struct logfile *file);

/* Add a line, which has its newline. */
void	logfile_add(struct logfile *file, const char *line, size_t length);

/* Write what waits. */
void	logfile_flush(struct logfile *file);

#endif
