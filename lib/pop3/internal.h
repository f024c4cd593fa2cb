/* What the files of a session share. */

#ifndef POP3_INTERNAL_H
#define POP3_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/base.h"
#include "mailbox/mailbox.h"
#include "pop3/pop3.h"

#define OUTPUT_SIZE	65536	/* sent when there is so much */

struct session {
	const struct pop3_session_options *options;
	struct mailbox *mailbox;
	size_t	 count;
	off_t	 total;		/* octets of all messages, deleted ones too */
	struct pop3_input input;
	struct text output;
	int	 bad_commands;
	bool	 is_over;
	const char *cause;	/* of the end, for the log */
	unsigned long retrieved, topped, deleted;
	unsigned long long retrieved_bytes, topped_bytes;
};

/* session.c */

/* Say a line. What was said is sent when there is much of it, or with pop3_flush(). */
void	pop3_reply(struct session *session, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

/* The same behind -ERR, for a command that is none or not as it must be; too many end the session. */
void	pop3_bad(struct session *session, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

/* Waits until the client has taken it; is_over when it does not. */
void	pop3_flush(struct session *session);

/* commands.c: obey a line of the client's. Writes into it. */
void	pop3_obey(struct session *session, char *line, size_t length);

#endif
