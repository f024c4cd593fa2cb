/* What the files of table share. */

#ifndef TABLE_INTERNAL_H
#define TABLE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "base/text.h"
#include "table/table.h"

struct table_backend {
	const char	*type;
	const char	*suffix;	/* of the file behind the name; NULL if there is no file */
	bool		 is_pattern;	/* has no use for parts of a key */
	bool		 keeps_case;	/* looks at keys as they are */
	bool		 is_remote;	/* a server answers: not for who is confined */
	/* Open what table->path names; on failure append the reason to table->why. */
	int		(*open)(struct table *table);
	/* Put the value into table->value, or the reason into table->why. */
	enum table_answer (*get)(struct table *table, const char *key);
	enum table_answer (*next)(struct table *table, int *position,
			    const char **key);
	void		(*close)(struct table *table);	/* what open() made */
};

struct table {
	TAILQ_ENTRY(table)	 link;
	int			 users;
	char			*name;		/* as it was asked for, without proxy: */
	const char		*path;		/* within name, behind the type */
	int			 flags;
	const struct table_backend *backend;	/* NULL: there is no such type */
	bool			 is_open;
	bool			 by_proxy;
	bool			 has_pattern;	/* among its parts */
	int			 line;		/* of the rule that answered last; 0 */
	int			 error;		/* errno of the last open(2) of its file; 0 */
	void			*handle;	/* the backend's */
	int			 fd;		/* of the file that is open */
	struct stat		 file;		/* when it was opened */
	int64_t			 looked_ms;	/* when it was last compared with the path */
	int64_t			 complained_ms;
	struct text		 key;
	struct text		 value;
	struct text		 why;
};

extern const struct table_backend table_hash, table_btree, table_texthash,
    table_inline, table_static, table_fail, table_unix, table_randmap,
    table_environ, table_unionmap, table_pipemap, table_cidr, table_regexp,
    table_pcre, table_lmdb, table_cdb, table_tcp, table_socketmap;

/* Ask proxymap(8). */
enum table_answer table_ask_proxy(struct table *table, const char *key);

/* The text between the braces that must stand around it, cut in place. NULL, or what is wrong. */
const char *table_open_braces(char *text, char **inside);

#endif
