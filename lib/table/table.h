/*
 * table - look-up tables: "hash:/etc/aliases", "inline:{a=b}", "unix:passwd.byname"
 *
 * table.h    one table, by its name
 * maps.h     a list of tables in their order; keys made from addresses
 * match.h    lists of domains, hosts, networks: mydestination, mynetworks
 * source.h   the text that a table is built from
 * build.h    building a hash, btree, lmdb or cdb table, for postmap(1) and its kin
 *
 * What holds:
 *   1  "Not found" is said only by a table that was read: one that is
 *      missing, unreadable or broken gives TABLE_ERROR, and mail is put off.
 *   2  A rebuilt table is noticed within a second. While the new one cannot
 *      be read, the old one goes on serving.
 *   3  A table that postmap(1) of Postfix rewrites in place is never read in
 *      the middle of that.
 *
 * "proxy:" before a name is taken off: the table is opened here where it can
 * be, which costs nothing, and asked of proxymap(8) where it cannot. So is
 * every table that a daemon would have to open after it closed its sandbox,
 * because it came or was rebuilt since: the administrator need not know who
 * is confined.
 */

#ifndef TABLE_TABLE_H
#define TABLE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct table;

enum table_answer { TABLE_ERROR = -1, TABLE_NONE, TABLE_FOUND };

enum {
	TABLE_KEEP_CASE	= 1 << 0,	/* keys are looked up as they are, not in lower case */
	TABLE_HERE	= 1 << 2,	/* never asked of proxymap: for proxymap */
	TABLE_NO_SUBSTITUTION = 1 << 3,	/* $1 in the results of patterns is a mistake */
	TABLE_QUIET	= 1 << 1,	/* errors are not logged: the caller tells them */
};

/*
 * Open a table, or share one that is open. Never NULL: a table that cannot be
 * opened answers TABLE_ERROR, and is tried again. Released with table_close().
 */
struct table *table_open(const char *name, int flags);
void	 table_close(struct table **table);

/* Look key up. *value is borrowed until the next call for this table. An error is logged with the table's name. */
enum table_answer table_get(struct table *table, const char *key,
	    const char **value);

const char *table_name(const struct table *table);

/*
 * Who wants to see each look-up and its answer; NULL: nobody. For commands
 * that explain.
 */
extern void (*table_witness)(struct table *table, const char *key,
	    enum table_answer answer, const char *value);

/* Append where the answer that was just found stands: "/etc/x, line 12", or the table's name when nobody knows. */
void	table_where(const struct table *table, const char *key,
	    struct text *to);

/* What the last TABLE_ERROR was about. */
const char *table_why(const struct table *table);

/* Those it was opened with: who asks proxymap(8) himself (asker.h) tells them. */
int	table_flags(const struct table *table);

/*
 * NULL if tables of this type can be opened, else why not. name is a type
 * ("hash") or begins with one ("hash:/etc/x").
 */
const char *table_type_missing(const char *name);

/* The types there are, in no order; NULL behind the last. */
const char *table_type(size_t index);

/*
 * Are its entries patterns? Then only whole keys are looked up in it: no
 * parent domain, no address without its extension.
 */
bool	table_is_pattern(const struct table *table);

/* Walk through a table: start with *position 0; TABLE_NONE at the end. Not of patterns. */
enum table_answer table_next(struct table *table, int *position,
	    const char **key, const char **value);

#endif
