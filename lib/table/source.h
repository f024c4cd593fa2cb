/* source - the text that a table is made from: "key value", or "name: value" for aliases */

#ifndef TABLE_SOURCE_H
#define TABLE_SOURCE_H

#include "base/text.h"

/*
 * Cut a logical line in place. NULL, or what is wrong with it. A key in
 * double quotes may hold white space; the quotes stay, as in Postfix.
 */
const char *source_split(char *line, char **key, char **value);

/* The same for aliases(5). A quoted name loses its quotes. */
const char *source_split_alias(char *line, char **key, char **value);

/* Append the value of an alias as postalias(1) stores it: ", " between addresses, and no backslash that is not needed. */
void	source_tidy_alias(const char *value, struct text *out);

#endif
