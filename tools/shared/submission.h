/*
 * submission - a message of a local user, on its way to postdrop(1)
 *
 * Content is taken line by line, as programs write it: lines may end in LF or
 * CRLF, the last one may lack its end, a "From " line may stand in front.
 */

#ifndef TOOLS_SHARED_SUBMISSION_H
#define TOOLS_SHARED_SUBMISSION_H

#include <stdbool.h>
#include <stdio.h>

#include "base/pool.h"
#include "base/text.h"
#include "message/envelope.h"

struct submission {
	struct pool	*pool;
	struct envelope	*envelope;
	struct text	 content;	/* LF line ends */
	bool		 too_large;	/* past message_size_limit; the rest was not kept */
};

/* A new one, with ENVELOPE_LOCAL_ORIGIN and no sender yet. Embedded by its owner. */
void	submission_init(struct submission *submission);
void	submission_clear(struct submission *submission);

/* Add the addresses in text, which stands as in a header field. How many there were. */
size_t	submission_add_recipients(struct submission *submission,
	    const char *text, size_t length);

/* Read the content until the end of in, or until a line with only a dot if dot_ends. 0, or -1 with errno. */
int	submission_read(struct submission *submission, FILE *in, bool dot_ends);

/* Recipients from To, Cc and Bcc, or from their Resent- forms if there are any. */
void	submission_take_header_recipients(struct submission *submission);

#endif
