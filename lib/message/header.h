/*
 * header - the fields of a message, found where they stand
 *
 * A header ends at the first empty line, or before the first line that is
 * neither a field nor its continuation (RFC 5322 section 2.2; what follows
 * is body, as Postfix has it). A "From " line before the first field is
 * passed over. CRLF is taken for LF. Nothing is copied.
 */

#ifndef MESSAGE_HEADER_H
#define MESSAGE_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct header_walk {
	const char	*text;		/* kept until the walk ends */
	size_t		 length;
	size_t		 position;	/* the next line; 0 to begin */
};

struct header_field {
	const char	*raw;		/* the whole field with its last line end */
	size_t		 raw_length;
	const char	*name;		/* without the colon */
	size_t		 name_length;
	const char	*value;		/* after the colon and blanks, folds kept, last line end not */
	size_t		 value_length;
};

/*
 * The next field. False at the end of the header: position is then at the
 * empty line before the body, at the body if there is none, or at the end.
 */
bool	header_next(struct header_walk *walk, struct header_field *field);

/* Where the body begins: behind the empty line. Gives length if there is no body. */
size_t	header_body(const char *text, size_t length);

/* Is it the field of this name? Case does not count. */
bool	header_is(const struct header_field *field, const char *name);

/* Append the value with every fold (line end and blanks) as one space. */
void	header_unfold(struct text *out, const struct header_field *field);

/* Find the first field of this name. False if there is none. */
bool	header_find(const char *text, size_t length, const char *name,
	    struct header_field *field);

#endif
