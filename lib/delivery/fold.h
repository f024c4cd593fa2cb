/* fold - long lines for people: cut at blanks, and what follows is indented */

#ifndef DELIVERY_FOLD_H
#define DELIVERY_FOLD_H

#include <stddef.h>

#include "base/text.h"

/* Lines end at this column, or behind the first word that is longer. */
#define FOLD_WIDTH	79

/* Append text to the line that begins at out->bytes + start; indent is the blanks before each further line. */
void	fold(struct text *out, const char *text, size_t start, size_t indent);

#endif
