/*
 * hash: and btree: tables, in Postfix's form of Berkeley DB
 *
 * Keys and values end in a NUL that counts; tables that others made may lack
 * it, so both forms are tried. Each look-up holds a shared lock: postmap(1)
 * of Postfix writes in place, under an exclusive one.
 */

#include <db.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "table/internal.h"

struct berkeley {
	DB	*db;
	DBC	*cursor;	/* of a walk */
};

static void
berkeley_free(struct berkeley *b)
{
	if (b->cursor != NULL)
		b->cursor->close(b->cursor);
	b->db->close(b->db, DB_NOSYNC);
	free(b);
}

static void
close_db(struct table *table)
{
	berkeley_free(table->handle);
}

/* Berkeley DB speaks to standard error unless somebody listens. */
static void
ignore_message(const DB_ENV *env, const char *prefix, const char *message)
{
}

static int
open_db(struct table *table, DBTYPE type)
{
	char *path = mem_printf("%s%s", table->path, table->backend->suffix);
	DB *db;
	int error = db_create(&db, NULL, 0);

	if (error == 0) {
		db->set_errcall(db, ignore_message);
		db->set_cachesize(db, 0, config.berkeley_db_read_buffer_size > 0
		    ? (u_int32_t)config.berkeley_db_read_buffer_size
		    : 131072, 0);
		flock(table->fd, LOCK_SH);
		error = db->open(db, NULL, path, NULL, type, DB_RDONLY, 0);
		flock(table->fd, LOCK_UN);
		if (error != 0)
			db->close(db, DB_NOSYNC);
	}
	if (error != 0)
		text_printf(&table->why, "open database %s: %s", path,
		    error == EINVAL || error == DB_OLD_VERSION
		    ? "not a Berkeley DB file of this type; run postmap on its source"
		    : db_strerror(error));
	else {
		struct berkeley *b = mem_zalloc(1, sizeof(*b));

		b->db = db;
		table->handle = b;
	}
	free(path);
	return error == 0 ? 0 : -1;
}

static int
open_hash(struct table *table)
{
	return open_db(table, DB_HASH);
}

static int
open_btree(struct table *table)
{
	return open_db(table, DB_BTREE);
}

static void
keep_value(struct table *table, const DBT *data)
{
	const char *bytes = data->data;
	size_t length = data->size;

	while (length > 0 && bytes[length - 1] == '\0')
		length--;
	text_append(&table->value, bytes, length);
}

static int
get_form(struct table *table, const char *key, size_t length)
{
	struct berkeley *b = table->handle;
	DBT wanted = { .data = (void *)(uintptr_t)key,
	    .size = (u_int32_t)length }, data = { 0 };
	int error = b->db->get(b->db, NULL, &wanted, &data, 0);

	if (error == 0)
		keep_value(table, &data);
	return error;
}

/* Invariant 3: under the lock the file is whole; if it is not the one that was opened, open it anew. */
static int
lock_and_compare(struct table *table)
{
	struct stat now;

	if (flock(table->fd, LOCK_SH) == -1 || fstat(table->fd, &now) == -1)
		return 0;	/* a file system without locks: as good as it gets */
	if (now.st_size == table->file.st_size &&
	    now.st_mtim.tv_sec == table->file.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == table->file.st_mtim.tv_nsec)
		return 0;

	struct berkeley *old = table->handle;

	if (table->backend->open(table) == -1)
		return -1;	/* a look-up meanwhile is put off */
	berkeley_free(old);
	table->file = now;
	return flock(table->fd, LOCK_SH);
}

static enum table_answer
get(struct table *table, const char *key)
{
	size_t length = strlen(key);
	int error = EIO;

	if (lock_and_compare(table) == 0) {
		error = get_form(table, key, length + 1);
		if (error == DB_NOTFOUND && length > 0)
			error = get_form(table, key, length);
	}
	flock(table->fd, LOCK_UN);
	if (error == 0)
		return TABLE_FOUND;
	if (error == DB_NOTFOUND)
		return TABLE_NONE;
	if (table->why.length == 0)
		text_printf(&table->why, "read: %s", db_strerror(error));
	return TABLE_ERROR;
}

static enum table_answer
next(struct table *table, int *position, const char **key)
{
	struct berkeley *b = table->handle;
	DBT found = { 0 }, data = { 0 };
	int error = 0;

	if (*position == 0 && b->cursor != NULL) {
		b->cursor->close(b->cursor);
		b->cursor = NULL;
	}
	if (b->cursor == NULL)
		error = b->db->cursor(b->db, NULL, &b->cursor, 0);
	if (error == 0)
		error = b->cursor->get(b->cursor, &found, &data, DB_NEXT);
	if (error == DB_NOTFOUND)
		return TABLE_NONE;
	if (error != 0) {
		text_printf(&table->why, "read: %s", db_strerror(error));
		return TABLE_ERROR;
	}
	(*position)++;
	text_truncate(&table->value, 0);
	keep_value(table, &data);
	text_truncate(&table->key, 0);
	text_append(&table->key, found.data, found.size);
	*key = text_string(&table->key);
	return TABLE_FOUND;
}

const struct table_backend table_hash = {
	.type = "hash",
	.suffix = ".db",
	.open = open_hash,
	.get = get,
	.next = next,
	.close = close_db,
};

const struct table_backend table_btree = {
	.type = "btree",
	.suffix = ".db",
	.open = open_btree,
	.get = get,
	.next = next,
	.close = close_db,
};
