/*
 * report - a log line that belongs to one of BIND's categories
 *
 * Where named.conf has a logging statement all processes write into one
 * pipe, and the scribe reads it; without one, lines go where the command
 * line said, as they are. log_info() and its brothers are as good for lines
 * of what the process is about.
 */

#ifndef NAMED_LITE_REPORT_H
#define NAMED_LITE_REPORT_H

#include <stdbool.h>

#include "base/base.h"
#include "named/logging.h"

void	report(enum log_category category, enum log_level level,
	    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* What log_info() and its brothers say from now on is about this; LOG_CATEGORY_GENERAL to begin with. */
void	report_about(enum log_category category);

/* Keep the pipe's end for writing, which children will have too. */
void	report_prepare(int pipe);

/* From now on lines go into that pipe. */
void	report_begin(void);

/* Not any more: whoever calls this has opened the log anew. */
void	report_end(void);

/* A line of that pipe, taken apart in place. False if it is none. */
struct report_line {
	enum log_level level;
	enum log_category category;
	int64_t	 at_us;		/* since 1970 */
	char	*text;
};

bool	report_parse(struct report_line *line, char *record);

/* Say the lines that are in the pipe and that nobody will read. */
void	report_drain(int pipe);

/* A line without the word for its weight: BIND's lines have none. */
const char *report_bare(const char *text);

#endif
