/*
 * build - make or change a hash, btree, lmdb or cdb table
 *
 *   1  A reader sees the old table or the new one, whole: the new one is
 *      written beside it, made durable, and renamed into its place.
 *   2  Two who change one table wait for each other.
 *
 * The form is Postfix's: each reads the other's files.
 */

#ifndef TABLE_BUILD_H
#define TABLE_BUILD_H

#include <stdbool.h>

#include "base/text.h"

struct table_build;

enum {
	TABLE_BUILD_KEEP	= 1 << 0,	/* begin with what the table has */
	TABLE_BUILD_OWN_MODE	= 1 << 1,	/* mode 0644, not that of the source */
	TABLE_BUILD_NO_NUL	= 1 << 2,	/* keys and values without a NUL at the end */
};

/*
 * Begin "hash:/etc/x"; its source (or the old table) gives owner and mode.
 * Must go to exactly one of commit and abandon. NULL with the reason in why.
 */
struct table_build *table_build_begin(const char *name, int flags,
	    struct text *why);

/* 0, 1 if the key is there already (replaced if replace), -1 with the reason in why. */
int	table_build_put(struct table_build *build, const char *key,
	    const char *value, bool replace, struct text *why);

/* 0, 1 if there is no such key, -1 with the reason in why. */
int	table_build_delete(struct table_build *build, const char *key,
	    struct text *why);

/* Take *build. 0, or -1 with the reason in why: the old table stays. */
int	table_build_commit(struct table_build **build, struct text *why);
void	table_build_abandon(struct table_build **build);

/* The file of the table: "/etc/x.db". Borrowed. */
const char *table_build_path(const struct table_build *build);

#endif
