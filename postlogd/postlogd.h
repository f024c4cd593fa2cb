/* What the files of postlogd share. */

#ifndef POSTLOGD_POSTLOGD_H
#define POSTLOGD_POSTLOGD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { POSTLOG_SOCKET = 5 };	/* the descriptor of public/postlog */

/* One line of the log. */
struct record {
	int		 level;		/* enum log_level */
	time_t		 time;
	int64_t		 time_us;	/* the same, finer */
	const char	*tag;		/* "postroad/smtpd[123]" */
	const char	*text;
};

/* record.c: cut a record in place, without its line end; see base/log.h. 0, or -1: it is none. */
int	record_parse(char *line, struct record *record);

/* reader.c: until the pipe's last writer is gone, or SIGHUP. The exit code. */
int	reader_run(int pipe, int socket);

/* output.c: maillog_file or syslog, as configured; with the last privileges. */
void	output_open(void);
void	output_write(const struct record *record);
void	output_flush(void);

#endif
