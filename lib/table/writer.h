/* writer - what differs between the kinds of tables that can be built */

#ifndef TABLE_WRITER_H
#define TABLE_WRITER_H

#include <sys/types.h>

#include "table/build.h"
#include "table/internal.h"

struct table_item {
	const char	*bytes;		/* a string, whose NUL may count */
	size_t		 length;
};

/* Functions give NULL, or why it failed. */
struct table_writer {
	const char	*type;
	const char	*suffix;
	const char	*(*create)(struct table_build *);	/* at new_path; sets handle */
	const char	*(*copy)(struct table_build *);		/* what the old table has */
	const char	*(*put)(struct table_build *, struct table_item key,
			    struct table_item value, bool replace,
			    bool *was_there);
	const char	*(*delete)(struct table_build *, struct table_item key,
			    bool *was_there);
	const char	*(*finish)(struct table_build *);	/* all is in the file */
	void		 (*drop)(struct table_build *);		/* release the handle */
};

struct table_build {
	const struct table_writer *writer;
	void	*handle;	/* the writer's; NULL: nothing to release */
	int	 flags;
	char	*path;		/* of the table */
	char	*new_path;	/* where it is written */
	int	 old;		/* the table as it was, locked; -1 if there is none */
	uid_t	 uid;
	gid_t	 gid;
	mode_t	 mode;
};

extern const struct table_writer table_write_hash, table_write_btree,
    table_write_lmdb, table_write_cdb;

#endif
