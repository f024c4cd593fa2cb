/*
 * reply - what a server answers
 *
 * RFC 5321 section 4.2. The reader trusts nobody: a line has at most
 * SMTP_REPLY_LINE_MAX bytes, a reply SMTP_REPLY_LINES_MAX lines, and what is
 * no reply makes it broken, never larger.
 */

#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "smtp/status.h"

#define SMTP_REPLY_LINE_MAX	4096
#define SMTP_REPLY_LINES_MAX	100
#define SMTP_REPLY_TEXT_MAX	16384	/* of text kept; more is read and dropped */

enum smtp_reply_progress {
	SMTP_REPLY_MORE,	/* not all of it has come */
	SMTP_REPLY_WHOLE,
	SMTP_REPLY_BROKEN,	/* not a reply: give the connection up */
};

/* A reply as it is read. All zeros to begin; smtp_reply_clear() to end. */
struct smtp_reply {
	enum smtp_reply_progress progress;
	int		 code;		/* 200 to 599 when whole */
	char		 status[SMTP_STATUS_SIZE]; /* of the first line that has one; else "" */
	struct text	 text;		/* its lines with their codes, '\n' between, printable */
	size_t		 lines;
	size_t		 line_start;	/* where the last line begins in text */
	size_t		 line_length;	/* bytes of it that were read */
};

/*
 * Read on. Gives the bytes that belong to this reply: all of them unless it
 * became whole (what follows is the next reply) or broken.
 */
size_t	smtp_reply_read(struct smtp_reply *reply, const char *bytes,
	    size_t length);

/* Forget the reply, keep the memory for the next. */
void	smtp_reply_reset(struct smtp_reply *reply);
void	smtp_reply_clear(struct smtp_reply *reply);

/*
 * Append a reply as it goes over the wire. The text begins with its code;
 * each further line (after '\n') gets the code, and the enhanced status code
 * if there is one, as well. What is not printable becomes '?'.
 */
void	smtp_reply_write(struct text *out, const char *text);

#endif
