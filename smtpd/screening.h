/*
 * screening.h - who comes to a service of postscreen: what the rest of smtpd asks
 *
 * How it works is told in screen/screen.h.
 */

#ifndef SMTPD_SCREENING_H
#define SMTPD_SCREENING_H

#include "smtpd/session.h"

struct config;

void	screen_open(void);

/* postroad check: log what its access list will not do. */
void	screen_audit(void);

/* Test him, or let him in; session_greet() comes in the end, unless the session ends. */
void	screen_begin(struct session *session);

/* The settings of those who are tested: those for stress, when there is hardly room for more of them. */
const struct config *screen_config(void);

/* A far table has answered. */
void	screen_go_on(struct session *session);

/* He must be silent, and was not, or is gone. */
void	screen_heard(struct session *session);

void	screen_end(struct session *session);

struct screen_line {
	const char	*bytes;
	size_t		 length;
	const char	*early;		/* what he said behind it without waiting for the reply */
	size_t		 early_length;
};

/*
 * A command, a line that ends in a bare newline, a line without end: true if
 * the session ends for it. before is the last command; is_none: it is no
 * command of SMTP at all.
 */
bool	screen_command(struct session *session, const char *before,
	    bool is_none, const struct screen_line *line);
bool	screen_bare_newline(struct session *session, const char *line,
	    size_t length);
bool	screen_long_line(struct session *session);

/* Was he refused? Then he only hears so at RCPT: true, with a reply. */
bool	screen_has_refused(const struct session *session);
bool	screen_refuses(struct session *session, const char *recipient);

/* He spoke before his turn and is refused for it: he does not get the rest of the greeting. */
bool	screen_withholds_greeting(const struct session *session);

/* PIPELINING is not offered to who is tested for it, or was refused. */
bool	screen_hides_pipelining(const struct session *session);

/* Tell how it ended: true if nothing else is to be said of it. */
bool	screen_tells_lost(struct session *session, const char *what);
bool	screen_tells_end(struct session *session);

#endif
