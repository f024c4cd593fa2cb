/* options - the command line, BIND's own and master's */

#ifndef NAMED_LITE_OPTIONS_H
#define NAMED_LITE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
	bool	 under_master;
	bool	 in_foreground;		/* -f, -g */
	bool	 to_console;		/* -g: BIND's lines on standard error */
	bool	 only_four;		/* -4 */
	bool	 only_six;		/* -6 */
	const char *config;		/* -c */
	const char *user;		/* -u: whom the loader becomes */
	const char *log_tag;		/* under master: what lines are by */
	const char *log_file;		/* -L: lines go there */
	const char *chroot_directory;	/* -t */
	uint16_t port;			/* -p: where listen-on names none */
	int	 processes;		/* -n: that answer */
	const char *explain_name;	/* --explain: tell how this is answered, and end */
	const char *explain_type;
};

/* Read the command line; a wrong one, -v and -V end the process. Opens the log. */
void	options_read(struct options *options, int argc, char **argv);

/* Open the log again as the command line wants it. */
void	options_open_log(const struct options *options);

#endif
