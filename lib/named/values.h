/*
 * values - the value of a statement, read in the shape that its row asks for
 *
 * What is wrong is told by conf_error() in BIND's words.
 */

#ifndef NAMED_VALUES_H
#define NAMED_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "named/settings.h"

enum value_kind {	/* what is stored in the field */
	VALUE_ANY,	/* nothing: any words and blocks */
	VALUE_BOOL,	/* uint32_t, 0 or 1 */
	VALUE_NUMBER,	/* uint32_t */
	VALUE_CUT,	/* uint32_t: what is out of range is brought into it, with a warning */
	VALUE_TENTHS,	/* uint32_t: tenths of seconds in the file, milliseconds here; cut, too */
	VALUE_DURATION,	/* uint32_t: seconds; "unlimited" is UINT32_MAX */
	VALUE_PERCENT,	/* uint32_t; "unlimited" is 0 */
	VALUE_SIZE,	/* uint64_t: octets; "unlimited" is UINT64_MAX, "default" leaves it alone */
	VALUE_CHOICE,	/* uint32_t: which of the words, from 0 */
	VALUE_TEXT,	/* const char *: a quoted string; NULL for "none" */
	VALUE_STRING,	/* const char *: a quoted string */
	VALUE_WORD,	/* const char *: a string with or without quotes */
	VALUE_KEY,	/* uint32_t: the number of a key */
	VALUE_ACL,	/* uint32_t: the first row of an address match list */
	VALUE_SOURCE,	/* struct sockaddr_in */
	VALUE_SOURCE6,	/* struct sockaddr_in6 */
	VALUE_REMOTES,	/* struct remotes */
};

struct value_shape {
	enum value_kind kind;
	const char *words;	/* of a choice: "one|other"; "yes" and "no" have their synonyms */
	uint32_t least;
	uint32_t most;
};

struct target;

/* Read the value of a statement into field, unless that is NULL. */
void	value_read(struct target *to, const struct conf_statement *at,
	    const struct value_shape *shape, void *field);

/* The one word or string after the name; NULL with an error. */
const struct conf_item *value_item(struct target *to,
	    const struct conf_statement *at);

/* A number from 0 to 65535 after "port"; -1 with an error. */
int	value_port(struct target *to, const struct conf_statement *at,
	    const struct conf_item *item);

/* An address with a port as text. False if it is none. */
bool	value_address(struct sockaddr_storage *address, const char *text,
	    uint16_t port);

/* A number of octets with its unit. False if it is none. */
bool	value_size(const char *word, uint64_t *octets);

/* The block that item is, the last of its statement; NULL also if it is empty, or with an error. */
const struct conf_statement *value_block(struct target *to,
	    const struct conf_statement *at, const struct conf_item *item);

#endif
