/*
 * lmdb: tables, in Postfix's form of LMDB
 *
 * No lock file: readers hold a shared lock on the table itself for each
 * look-up, and who writes in place holds an exclusive one.
 */

#ifdef HAVE_LMDB

#include <errno.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/base.h"
#include "table/writer.h"

#define READ_FLAGS	(MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK)
#define WRITE_FLAGS	(MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC)

/* Address space for a new table, not memory and not disk. A reader maps what is there. */
#define BUILD_SIZE	((size_t)16 << 30)
#define READ_SIZE	((size_t)1 << 20)

struct lmdb {
	MDB_env		*env;
	MDB_txn		*txn;
	MDB_dbi		 dbi;
	MDB_cursor	*cursor;	/* of a walk */
};

static void
lmdb_free(struct lmdb *l)
{
	if (l->cursor != NULL)
		mdb_cursor_close(l->cursor);
	if (l->txn != NULL)
		mdb_txn_abort(l->txn);
	if (l->env != NULL)
		mdb_env_close(l->env);
	free(l);
}

static struct lmdb *
lmdb_new(const char *path, unsigned flags, size_t size, int *error)
{
	struct lmdb *l = mem_zalloc(1, sizeof(*l));
	bool reads = flags & MDB_RDONLY;

	if ((*error = mdb_env_create(&l->env)) == 0 &&
	    (*error = mdb_env_set_mapsize(l->env, size)) == 0 &&
	    (*error = mdb_env_open(l->env, path, flags, 0600)) == 0 &&
	    (*error = mdb_txn_begin(l->env, NULL, reads ? MDB_RDONLY : 0,
	    &l->txn)) == 0 &&
	    (*error = mdb_dbi_open(l->txn, NULL, 0, &l->dbi)) == 0) {
		if (reads)
			mdb_txn_reset(l->txn);
		return l;
	}
	lmdb_free(l);
	return NULL;
}

/* Reading. */

static void
close_lmdb(struct table *table)
{
	lmdb_free(table->handle);
}

static int
open_lmdb(struct table *table)
{
	char *path = mem_printf("%s%s", table->path, table->backend->suffix);
	int error;

	flock(table->fd, LOCK_SH);
	table->handle = lmdb_new(path, READ_FLAGS, READ_SIZE, &error);
	flock(table->fd, LOCK_UN);
	if (table->handle == NULL)
		text_printf(&table->why, "open database %s: %s", path,
		    mdb_strerror(error));
	free(path);
	return table->handle == NULL ? -1 : 0;
}

/* Values that others made may end in a NUL. */
static void
keep(struct text *to, const MDB_val *from)
{
	const char *bytes = from->mv_data;
	size_t length = from->mv_size;

	while (length > 0 && bytes[length - 1] == '\0')
		length--;
	text_append(to, bytes, length);
}

static int
get_form(struct table *table, const char *key, size_t length)
{
	struct lmdb *l = table->handle;
	MDB_val wanted = { length, (void *)(uintptr_t)key }, value;
	int error = length == 0 ? MDB_NOTFOUND
	    : mdb_get(l->txn, l->dbi, &wanted, &value);

	if (error == 0)
		keep(&table->value, &value);
	return error;
}

static enum table_answer
get_lmdb(struct table *table, const char *key)
{
	struct lmdb *l = table->handle;
	size_t length = strlen(key);
	int error;

	flock(table->fd, LOCK_SH);
	error = mdb_txn_renew(l->txn);
	if (error == 0) {
		error = get_form(table, key, length + 1);
		if (error == MDB_NOTFOUND)
			error = get_form(table, key, length);
		mdb_txn_reset(l->txn);
	}
	flock(table->fd, LOCK_UN);
	/* A key that is too long for any entry is in none. */
	if (error == MDB_NOTFOUND || error == MDB_BAD_VALSIZE)
		return TABLE_NONE;
	if (error == 0)
		return TABLE_FOUND;
	text_printf(&table->why, "read: %s", mdb_strerror(error));
	return TABLE_ERROR;
}

static enum table_answer
next_lmdb(struct table *table, int *position, const char **key)
{
	struct lmdb *l = table->handle;
	MDB_val name, value;
	int error = 0;

	if (*position == 0 && l->cursor == NULL &&
	    (error = mdb_txn_renew(l->txn)) == 0)
		error = mdb_cursor_open(l->txn, l->dbi, &l->cursor);
	if (error == 0)
		error = mdb_cursor_get(l->cursor, &name, &value,
		    *position == 0 ? MDB_FIRST : MDB_NEXT);
	if (error == MDB_NOTFOUND)
		return TABLE_NONE;
	if (error != 0) {
		text_printf(&table->why, "read: %s", mdb_strerror(error));
		return TABLE_ERROR;
	}
	(*position)++;
	text_truncate(&table->value, 0);
	keep(&table->value, &value);
	text_truncate(&table->key, 0);
	keep(&table->key, &name);
	*key = text_string(&table->key);
	return TABLE_FOUND;
}

/* Writing. */

static const char *
create_lmdb(struct table_build *b)
{
	int error;

	b->handle = lmdb_new(b->new_path, WRITE_FLAGS, BUILD_SIZE, &error);
	return b->handle == NULL ? mdb_strerror(error) : NULL;
}

static const char *
copy_lmdb(struct table_build *b)
{
	struct lmdb *l = b->handle;
	MDB_cursor *cursor;
	MDB_val key, value;
	int error;
	struct lmdb *old = lmdb_new(b->path, READ_FLAGS, READ_SIZE, &error);

	if (old == NULL)
		return mdb_strerror(error);
	if ((error = mdb_txn_renew(old->txn)) == 0 &&
	    (error = mdb_cursor_open(old->txn, old->dbi, &cursor)) == 0) {
		while ((error = mdb_cursor_get(cursor, &key, &value,
		    MDB_NEXT)) == 0 &&
		    (error = mdb_put(l->txn, l->dbi, &key, &value, 0)) == 0)
			continue;
		mdb_cursor_close(cursor);
	}
	lmdb_free(old);
	return error == MDB_NOTFOUND ? NULL : mdb_strerror(error);
}

static const char *
put_lmdb(struct table_build *b, struct table_item key,
    struct table_item value, bool replace, bool *was_there)
{
	struct lmdb *l = b->handle;
	MDB_val k = { key.length, (void *)(uintptr_t)key.bytes };
	MDB_val v = { value.length, (void *)(uintptr_t)value.bytes };
	int error = mdb_put(l->txn, l->dbi, &k, &v,
	    replace ? 0 : MDB_NOOVERWRITE);

	*was_there = error == MDB_KEYEXIST;
	return error == 0 || *was_there ? NULL : mdb_strerror(error);
}

static const char *
delete_lmdb(struct table_build *b, struct table_item key, bool *was_there)
{
	struct lmdb *l = b->handle;
	MDB_val k = { key.length, (void *)(uintptr_t)key.bytes };
	int error = mdb_del(l->txn, l->dbi, &k, NULL);

	*was_there = error == 0;
	return error == 0 || error == MDB_NOTFOUND ? NULL
	    : mdb_strerror(error);
}

static const char *
finish_lmdb(struct table_build *b)
{
	struct lmdb *l = b->handle;
	int error = mdb_txn_commit(l->txn);

	l->txn = NULL;
	lmdb_free(l);
	b->handle = NULL;
	return error == 0 ? NULL : mdb_strerror(error);
}

static void
drop_lmdb(struct table_build *b)
{
	lmdb_free(b->handle);
}

const struct table_backend table_lmdb = {
	.type = "lmdb",
	.suffix = ".lmdb",
	.open = open_lmdb,
	.get = get_lmdb,
	.next = next_lmdb,
	.close = close_lmdb,
};

const struct table_writer table_write_lmdb = {
	.type = "lmdb",
	.suffix = ".lmdb",
	.create = create_lmdb,
	.copy = copy_lmdb,
	.put = put_lmdb,
	.delete = delete_lmdb,
	.finish = finish_lmdb,
	.drop = drop_lmdb,
};

#endif
