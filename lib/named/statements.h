/*
 * statements - tables of what may stand between braces, and the one function that obeys them
 *
 * Every statement that BIND knows is a row: how its value looks, where it
 * may stand, and what becomes of it.
 */

#ifndef NAMED_STATEMENTS_H
#define NAMED_STATEMENTS_H

#include <stdint.h>

#include "named/settings.h"
#include "named/values.h"

/* Where a statement may stand, and how it is to be taken. */
enum {
	OPTIONS = 1,
	PRIMARY = 2,
	SECONDARY = 4,
	OTHER = 8,		/* zones of types that we do not serve */
	ZONES = PRIMARY | SECONDARY | OTHER,
	MANY = 16,		/* more than once */
	DEPRECATED = 32,
	OBSOLETE = 64,
	GLOBAL = 128 | OPTIONS,	/* not in views */
};

/* What becomes of it; statements.def tells what each means. */
enum fate {
	STATEMENT_SERVED,
	STATEMENT_NO_CONCERN,
	STATEMENT_NOT_SERVED,
	STATEMENT_REFUSED
};

/* Whose field a row fills. */
enum base { BASE_NONE, BASE_SETTINGS, BASE_ZONE, BASE_OTHER };

typedef void apply_function(struct target *to, const struct conf_statement *at);

struct statement {
	const char *name;
	unsigned where;
	enum fate fate;
	struct value_shape shape;
	enum base base;
	size_t	 offset;
	apply_function *apply;		/* in place of shape */
};

struct statement_table {
	const struct statement *rows;
	size_t	 count;
};

/* The shapes of values.h as the rows say them. */
#define ANY		{ VALUE_ANY, NULL, 0, 0 }
#define BOOL		{ VALUE_BOOL, NULL, 0, 0 }
#define ANY_NUMBER	{ VALUE_NUMBER, NULL, 0, UINT32_MAX }
#define NUMBER(least, most)	{ VALUE_NUMBER, NULL, least, most }
#define NUMBER_CUT(least, most)	{ VALUE_CUT, NULL, least, most }
#define TENTHS(least, most)	{ VALUE_TENTHS, NULL, least, most }
#define DURATION	{ VALUE_DURATION, NULL, 0, 0 }
#define PERCENT		{ VALUE_PERCENT, NULL, 0, 0 }
#define SIZE		{ VALUE_SIZE, NULL, 0, 0 }
#define CHOICE(words)	{ VALUE_CHOICE, words, 0, 0 }
#define TEXT		{ VALUE_TEXT, NULL, 0, 0 }
#define STRING		{ VALUE_STRING, NULL, 0, 0 }
#define WORD		{ VALUE_WORD, NULL, 0, 0 }
#define KEY		{ VALUE_KEY, NULL, 0, 0 }
#define ACL		{ VALUE_ACL, NULL, 0, 0 }
#define SOURCE		{ VALUE_SOURCE, NULL, 0, 0 }
#define SOURCE_V6	{ VALUE_SOURCE6, NULL, 0, 0 }
#define REMOTES		{ VALUE_REMOTES, NULL, 0, 0 }

/* Whom a statement concerns. */
struct target {
	struct settings *settings;
	struct zone_settings *zone;	/* NULL outside of zones */
	struct zone_options *options;	/* of the zone, or for all zones */
	void	*other;			/* what BASE_OTHER means here */
	uint16_t port;			/* where none is given */
};

/* Do what the statements of a list ask for; what is wrong is told by conf_error(). */
void	statements_apply(struct target *to, const struct conf_statement *list,
	    const struct statement_table *table, unsigned where);

/* Options and zones: statements.def. */
extern const struct statement_table statements_of_zones;

/* The row of a name, NULL if there is none. */
const struct statement *statement_find(const struct statement_table *table,
	    const char *name);

/* Say what becomes of a statement, unless it is served. */
void	statement_tell_fate(struct conf *conf,
	    const struct conf_statement *at, enum fate fate);

/* options.c and limits.c: what statements.def calls */
apply_function set_allow_transfer, set_blackhole, set_check_names,
    set_cookie_secret, set_directory, set_file, set_ixfr_from_differences,
    set_listen_on, set_masterfile_format, set_port, set_rate_limit,
    set_recursion, set_response_padding, set_server_id;

/* Other statements outside of all braces. */
void	controls_read(struct target *to);
void	logging_read(struct target *to);
void	view_unfold(struct target *to);	/* before all others */
void	zone_statement_read(struct target *to,
	    const struct conf_statement *at);

#endif
