/*
 * pop3 - the Post Office Protocol: its lines, its message format, its session
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

/*
 * A message on its way to the client: line ends become CRLF, a line that
 * begins with a dot gets another (RFC 1939 section 3).
 */
struct pop3_stuffer {
	size_t	 octets;	/* of the line so far */
	char	 last;		/* of them */
	bool	 in_body;
	long long lines_left;	/* of the body; -1: all of it */
};

/* Begin: lines is -1 for the whole message, else TOP's second argument. */
void	pop3_stuffer_init(struct pop3_stuffer *stuffer, long long lines);

/* Append the next part of the message to out. False when TOP has enough. */
bool	pop3_stuff(struct pop3_stuffer *stuffer, const char *bytes, size_t length,
	    struct text *out);

/* Append the end of the message: a line end if it lacks one, and the dot. */
void	pop3_stuff_end(struct pop3_stuffer *stuffer, struct text *out);

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
