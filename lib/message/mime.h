/*
 * mime - which lines of a message are header of a part, and which its body
 *
 * A reader is fed a message, or only its body, in pieces of any size, and
 * tells what it finds: the fields of each header (of the message, of a part
 * of a multipart, of a message within a message), the end of each header, and
 * the lines of each body (RFC 2045, RFC 2046 section 5.1). Nothing is
 * refused: what is no MIME is a body.
 *
 *   1  What is told covers all that was fed, in its order: each event has the
 *      range of bytes that it is about.
 *   2  Memory is bounded: a field by longest_field, a line by MIME_LINE, the
 *      nesting by deepest, and two more.
 */

#ifndef MESSAGE_MIME_H
#define MESSAGE_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "message/header.h"

/* A longer line of a body is told in pieces of this length. */
#define MIME_LINE	2048

enum mime_header { MIME_OF_MESSAGE, MIME_OF_PART, MIME_OF_NESTED };

/* How a body may look on the way, by its Content-Transfer-Encoding; quoted-printable and base64 are 7 bits. */
enum mime_domain { MIME_7BIT, MIME_8BIT, MIME_BINARY };

/* What was found wrong, as bits of mime_reader.wrong. */
enum {
	MIME_TOO_DEEP	  = 1 << 0,	/* more parts within parts than deepest */
	MIME_CUT_FIELD	  = 1 << 1,	/* a field was longer than longest_field */
	MIME_8BIT_FIELD	  = 1 << 2,
	MIME_8BIT_BODY	  = 1 << 3,	/* where Content-Transfer-Encoding denies it */
	MIME_BAD_ENCODING = 1 << 4,	/* a message or multipart that is encoded as a whole */
};

struct mime_line {
	const char	*bytes;		/* without its line end */
	size_t		 length;
	bool		 begins, ends;	/* false: a piece of a line that is longer than MIME_LINE */
	bool		 is_boundary;
	int64_t		 offset;	/* in the body of this part */
	int64_t		 from, to;	/* what was fed: its range, with the line end */
};

struct mime_field {
	const char	*raw;		/* folds as LF, without the last line end; cut if it was too long */
	size_t		 length;
	enum mime_header of;
	int64_t		 from, to;
};

struct mime_events {
	void	(*field)(void *argument, const struct mime_field *field);
	/* The header ended at an empty line, or is_marked is false and the body begins without one. */
	void	(*end_of_header)(void *argument, bool is_marked);
	void	(*line)(void *argument, const struct mime_line *line);
};

struct mime_level;

/* All zeros, then the settings, then mime_begin(). */
struct mime_reader {
	/* Settings; kept until mime_clear(). */
	const struct mime_events *events;	/* any may be NULL */
	void		*argument;
	int		 deepest;
	size_t		 longest_boundary;	/* more of a boundary is not compared */
	size_t		 longest_field;
	bool		 looks_for_8bit;	/* costs a look at each byte */

	/* What the header said of the body that is being read. */
	bool		 is_composite;		/* a multipart or a message: its parts speak for themselves */
	enum mime_domain domain;
	bool		 is_encoded;		/* quoted-printable or base64 */
	char		 encoding[32];		/* as it was written */
	char		 type[100];		/* the field that said it, or its beginning */

	unsigned	 wrong;			/* MIME_..., of all that was read */
	struct text	 culprit;		/* what was wrong first, or its beginning */
	bool		 saw_8bit;		/* a header that said 8bit or binary */

	/* Ours. */
	struct mime_level *levels;
	int		 depth;
	bool		 in_header, is_message, is_multipart, in_digest, next_is_message;
	enum mime_header of;
	struct text	 boundary, field, line;
	int64_t		 position, field_from, offset;
	bool		 line_begins, at_first, field_is_cut;
};

/* From the first line of a message; of a body whose header was told to mime_note(). */
void	mime_begin(struct mime_reader *reader);
void	mime_begin_body(struct mime_reader *reader);

/* A field of the header of a message: where it is Content-Type or Content-Transfer-Encoding, what it means is remembered. */
void	mime_note(struct mime_reader *reader, const struct header_field *field);

void	mime_read(struct mime_reader *reader, const char *bytes, size_t length);
/* There is no more: tells what has no line end yet. */
void	mime_finish(struct mime_reader *reader);
void	mime_clear(struct mime_reader *reader);

/* A raw field as header.h has it. False if there is none. */
bool	mime_field_parse(const struct mime_field *raw, struct header_field *field);

/* Is it one of those that say how a body is to be read? */
bool	mime_is_field(const struct header_field *field);

/* Enhanced status code and words for the gravest of MIME_...: "5.6.3", "improper use of 8-bit data in message header". */
const char *mime_wrong_status(unsigned wrong, const char **words);

#endif
