/* statements - what stands between the braces of options and of zones */

#ifndef NAMED_STATEMENTS_H
#define NAMED_STATEMENTS_H

#include <stdint.h>

#include "named/settings.h"

/* Where a statement may stand. */
enum { IN_OPTIONS = 1, IN_ZONE = 2 };

/* What becomes of it; statements.def tells what each means. */
enum fate {
	STATEMENT_SERVED,
	STATEMENT_NO_CONCERN,
	STATEMENT_NOT_SERVED,
	STATEMENT_REFUSED
};

/* Whom a statement concerns. */
struct target {
	struct settings *settings;
	struct zone_settings *zone;	/* NULL in options */
	uint16_t port;
};

/* Do what the statements of a list ask for; what is wrong is told by conf_error(). */
void	statements_apply(struct target *to, const struct conf_statement *list,
	    unsigned where);

/* Say what becomes of a statement, unless it is served. */
void	statement_tell_fate(struct conf *conf,
	    const struct conf_statement *at, enum fate fate);

/* The block that item is, the last of its statement; NULL also if it is empty, or with an error. */
const struct conf_statement *statement_block(struct target *to,
	    const struct conf_statement *at, const struct conf_item *item);

#endif
