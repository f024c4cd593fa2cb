/*
 * sendmail_options - what forty years of callers have meant by sendmail's options
 *
 * Options that Sendmail has had and that mean nothing here are taken in
 * silence, since programs go on giving them. What is not understood ends the
 * program with the exit code that callers know.
 */

#ifndef TOOLS_SHARED_SENDMAIL_OPTIONS_H
#define TOOLS_SHARED_SENDMAIL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum sendmail_mode {
	MODE_SUBMIT, MODE_DIALOGUE, MODE_LIST, MODE_ALIASES, MODE_FLUSH,
	MODE_START, MODE_VERIFY, MODE_NOTHING
};

/* Texts are the command line's. */
struct sendmail_options {
	enum sendmail_mode mode;	/* -b, or the name it was called by */
	const char	*configuration;	/* -C */
	const char	*sender;	/* -f, as it was given */
	const char	*full_name;	/* -F */
	const char	*site;		/* -qR */
	const char	*queue_id;	/* -qI */
	bool		 from_header;	/* -t */
	bool		 dots_mean_nothing;	/* -i: a lone dot ends nothing */
	int		 verbosity;	/* -v: once for a report, more for the log */
	int64_t		 flags;		/* ENVELOPE_... */
	int64_t		 dsn_ret;	/* -R: DSN_RET_... */
	int64_t		 dsn_notify;	/* -N: DSN_NOTIFY_... */
	const char	*envid;		/* -V */
	const char	*verp;		/* -XV: delimiters, or "" for the usual ones */
};

/* Read them, recipients to be found behind optind; exits for mistakes. */
void	sendmail_options_read(struct sendmail_options *options, int argc,
	    char **argv);

/* End the program for what is wrong: format has one %s, for what. */
void	sendmail_refuse(int code, const char *format, const char *what)
	    __attribute__((noreturn, format(printf, 2, 0)));

#endif
