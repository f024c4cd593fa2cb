/* Writing hash: and btree: tables. */

#include <db.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "table/writer.h"

static void
ignore_message(const DB_ENV *env, const char *prefix, const char *message)
{
}

static DB *
open_db(const char *path, DBTYPE type, u_int32_t flags, int *error)
{
	DB *db;

	if ((*error = db_create(&db, NULL, 0)) != 0)
		return NULL;
	db->set_errcall(db, ignore_message);
	db->set_cachesize(db, 0,
	    (u_int32_t)config.berkeley_db_create_buffer_size, 0);
	*error = db->open(db, NULL, path, NULL, type, flags, 0600);
	if (*error == 0)
		return db;
	db->close(db, DB_NOSYNC);
	return NULL;
}

static DBTYPE
type_of(const struct table_build *b)
{
	return b->writer == &table_write_hash ? DB_HASH : DB_BTREE;
}

static const char *
create(struct table_build *b)
{
	int error;

	b->handle = open_db(b->new_path, type_of(b), DB_CREATE | DB_EXCL,
	    &error);
	return error == 0 ? NULL : db_strerror(error);
}

static const char *
copy(struct table_build *b)
{
	DB *new = b->handle;
	DBT key = { 0 }, value = { 0 };
	DBC *cursor;
	int error;
	DB *old = open_db(b->path, type_of(b), DB_RDONLY, &error);

	if (old == NULL)
		return db_strerror(error);
	if ((error = old->cursor(old, NULL, &cursor, 0)) == 0) {
		while ((error = cursor->get(cursor, &key, &value,
		    DB_NEXT)) == 0 &&
		    (error = new->put(new, NULL, &key, &value, 0)) == 0)
			continue;
		cursor->close(cursor);
	}
	old->close(old, DB_NOSYNC);
	return error == DB_NOTFOUND ? NULL : db_strerror(error);
}

static DBT
item(struct table_item from)
{
	return (DBT){ .data = (void *)(uintptr_t)from.bytes,
	    .size = (u_int32_t)from.length };
}

static const char *
put(struct table_build *b, struct table_item key, struct table_item value,
    bool replace, bool *was_there)
{
	DB *db = b->handle;
	DBT k = item(key), v = item(value);
	int error = db->put(db, NULL, &k, &v, replace ? 0 : DB_NOOVERWRITE);

	*was_there = error == DB_KEYEXIST;
	return error == 0 || *was_there ? NULL : db_strerror(error);
}

static const char *
delete(struct table_build *b, struct table_item key, bool *was_there)
{
	DB *db = b->handle;
	DBT k = item(key);
	int error = db->del(db, NULL, &k, 0);

	*was_there = error == 0;
	return error == 0 || error == DB_NOTFOUND ? NULL : db_strerror(error);
}

static const char *
finish(struct table_build *b)
{
	DB *db = b->handle;
	int error = db->close(db, 0);

	b->handle = NULL;
	return error == 0 ? NULL : db_strerror(error);
}

static void
drop(struct table_build *b)
{
	DB *db = b->handle;

	db->close(db, DB_NOSYNC);
}

const struct table_writer table_write_hash = {
	.type = "hash",
	.suffix = ".db",
	.create = create,
	.copy = copy,
	.put = put,
	.delete = delete,
	.finish = finish,
	.drop = drop,
};

const struct table_writer table_write_btree = {
	.type = "btree",
	.suffix = ".db",
	.create = create,
	.copy = copy,
	.put = put,
	.delete = delete,
	.finish = finish,
	.drop = drop,
};
