/*
 * dot - the lines of DATA, of BDAT and of RETR
 *
 * Coming in:
 *   1  Only CRLF "." CRLF ends DATA, the CRLF before it being that of a line
 *      or of the DATA command itself (RFC 5321 section 4.1.1.4). No other
 *      mixture of CR, LF, NUL and dots ends it, wherever packets are cut.
 *   2  What comes out has LF line ends and no CR. A bare LF counts as a line
 *      end, a run of bare CRs becomes a space; both are told in `seen`, so
 *      that the caller can refuse the message. A run before an LF is part of
 *      the line end, as Postfix has it.
 * Going out:
 *   3  Every line ends in CRLF and no line begins with a single dot, so that
 *      the content cannot end itself; a last line without end gets one.
 */

#ifndef MESSAGE_DOT_H
#define MESSAGE_DOT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum {
	DOT_BARE_LF	= 1 << 0,	/* an LF without CR */
	DOT_BARE_CR	= 1 << 1,	/* a CR without LF */
	DOT_NUL		= 1 << 2,
};

/* The state of a reader. All zeros, then dot_read_start(). */
struct dot_reader {
	unsigned char	state;		/* ours: see dot.c */
	bool		is_bdat;
	bool		ended;		/* the final dot was read */
	unsigned	seen;		/* DOT_... */
};

/* Begin a message behind "DATA" CRLF, or the first octet of BDAT, where dots mean nothing. */
void	dot_read_start(struct dot_reader *reader, bool is_bdat);

/*
 * Read length bytes. Appends the message to out, at most DOT_READ_EXTRA bytes
 * more than were read. Gives the bytes read: fewer than length only when
 * reader->ended became true, and what follows is the next command.
 */
size_t	dot_read(struct dot_reader *reader, const char *bytes, size_t length,
	    struct text *out);
#define DOT_READ_EXTRA	2

/* The end of BDAT: a CR that hung in the air becomes a space, a last line gets its end. */
void	dot_read_finish(struct dot_reader *reader, struct text *out);

/* The state of a writer: all zeros to begin. */
struct dot_writer {
	bool	in_line;	/* the last byte did not end a line */
	bool	after_cr;	/* it was a CR */
	bool	keep_cr;	/* POP3: a bare CR goes through; SMTP: it becomes a space */
};

/* Append length bytes of a message for the wire. CRLF and LF both count as line ends. */
void	dot_write(struct dot_writer *writer, const char *bytes, size_t length,
	    struct text *out);

/* End the last line if need be, and append the final dot. */
void	dot_write_finish(struct dot_writer *writer, struct text *out);

#endif
