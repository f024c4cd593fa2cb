/* channels - the places that log lines go to, BIND's own and those of the logging statement */

#ifndef NAMED_CHANNELS_H
#define NAMED_CHANNELS_H

#include "named/logging.h"
#include "named/values.h"

/* Those that are there without being asked for. */
void	channels_init(struct logging *logging);

/* channel NAME { ... }; what is wrong is told by conf_error(). */
void	channels_read(struct target *to, const struct conf_statement *at);

/* The number of a channel; -1 if there is none of that name. */
int	channels_find(const struct logging *logging, const char *name);

/* The block of "channel NAME { ... }" or "category NAME { ... }"; NULL also with an error. */
const struct conf_statement *channels_block(struct target *to,
	    const struct conf_statement *at);

#endif
