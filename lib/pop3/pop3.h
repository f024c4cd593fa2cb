/*
 * pop3 - the Post Office Protocol: its lines, and its session
 *
 * pop3d(8) speaks it before the login, a process of the mailbox's user after
 * it; what both know is here. RFC 1939, RFC 2449 (CAPA, response codes, line
 * lengths), RFC 3206 (AUTH and SYS codes).
 */

#ifndef POP3_POP3_H
#define POP3_POP3_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* RFC 2449 section 4 asks for 255; names and passwords may be longer. */
#define POP3_LINE_MAX	1000

#define POP3_KEYWORD_SIZE 32

/* A client's line: its keyword in capitals, and what follows the first space. */
struct pop3_command {
	char	 keyword[POP3_KEYWORD_SIZE];	/* "" if too long or not printable */
	const char *argument;			/* NULL: none. Borrows the line */
};

/*
 * Read the command in a line without its line end. A line with a NUL
 * or a bare CR in it has no keyword.
 */
void	pop3_command_parse(char *line, size_t length, struct pop3_command *command);

/* What a client sends, until it is a line. All zeros to begin, pop3_input_clear() to end. */
struct pop3_input {
	struct text text;
	size_t	 start;		/* of what is not yet a line that was taken */
	bool	 is_discarding;	/* in a line that is too long */
};

enum pop3_next { POP3_NO_LINE, POP3_LINE, POP3_LONG_LINE };

/* Append what came. Past POP3_LINE_MAX a line is dropped as it comes. */
void	pop3_input_append(struct pop3_input *input, const char *bytes, size_t length);

/*
 * Take the next line, without its LF or CRLF, with a NUL behind it. Borrowed until
 * the next append. POP3_LONG_LINE: a line ended that was too long.
 */
enum pop3_next pop3_input_next(struct pop3_input *input, char **line, size_t *length);

/* Forget all of it; there may have been a password in it. */
void	pop3_input_clear(struct pop3_input *input);

/* What CAPA answers; before the login more than after it. */
const char *pop3_capabilities(bool is_logged_in);

/* How much of a message TOP sends: its header, the empty line, and so many lines. */
struct pop3_top {
	long long lines_left;	/* set by the caller; the rest is all zeros to begin */
	bool	 in_body;
	size_t	 octets;	/* of the line so far */
	char	 last;		/* of them */
};

/* How many of the message's next octets are sent; fewer than length when it has enough. */
size_t	pop3_top_take(struct pop3_top *top, const char *bytes, size_t length);

/* What a session needs to know. Borrowed. */
struct pop3_session_options {
	int	 client;	/* its socket, blocking or not */
	int	 lifeline;	/* readable: leave; -1: none */
	int	 idle_s;
	const char *maildir;
	const char *user, *remote, *local, *session;	/* for the log */
	const char *unread;	/* what the client sent behind PASS */
	size_t	 unread_length;
	void	 (*close_doors)(void);	/* called when the Maildir is open: enter the sandbox */
};

/*
 * Serve the client from the answer to its PASS to the end of the
 * connection. Deletes nothing unless the client says QUIT.
 */
void	pop3_session(const struct pop3_session_options *options);

#endif
