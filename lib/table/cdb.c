/* cdb: tables: constant databases, written once and then only read */

#ifdef HAVE_CDB

#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "table/writer.h"

/* Reading. */

static int
open_cdb(struct table *table)
{
	struct cdb *c = mem_zalloc(1, sizeof(*c));

	if (cdb_init(c, table->fd) == 0) {
		table->handle = c;
		return 0;
	}
	text_printf(&table->why, "open database %s%s: not a cdb file; run "
	    "postmap on its source", table->path, table->backend->suffix);
	free(c);
	return -1;
}

static void
close_cdb(struct table *table)
{
	cdb_free(table->handle);
	free(table->handle);
}

static void
keep(struct text *to, const void *bytes, size_t length)
{
	const char *p = bytes;

	while (length > 0 && p[length - 1] == '\0')
		length--;
	text_append(to, p, length);
}

static int
get_form(struct table *table, const char *key, size_t length)
{
	struct cdb *c = table->handle;
	int found = cdb_find(c, key, (unsigned)length);
	const void *bytes;

	if (found <= 0)
		return found;
	if ((bytes = cdb_getdata(c)) == NULL)
		return -1;
	keep(&table->value, bytes, cdb_datalen(c));
	return 1;
}

static enum table_answer
get_cdb(struct table *table, const char *key)
{
	size_t length = strlen(key);
	int found = get_form(table, key, length);

	if (found == 0)
		found = get_form(table, key, length + 1);
	if (found >= 0)
		return found > 0 ? TABLE_FOUND : TABLE_NONE;
	text_puts(&table->why, "the file is broken");
	return TABLE_ERROR;
}

static enum table_answer
next_cdb(struct table *table, int *position, const char **key)
{
	struct cdb *c = table->handle;
	static unsigned at;
	int found;

	if (*position == 0)
		cdb_seqinit(&at, c);
	if ((found = cdb_seqnext(&at, c)) == 0)
		return TABLE_NONE;
	if (found < 0) {
		text_puts(&table->why, "the file is broken");
		return TABLE_ERROR;
	}
	(*position)++;
	text_truncate(&table->value, 0);
	keep(&table->value, cdb_getdata(c), cdb_datalen(c));
	text_truncate(&table->key, 0);
	keep(&table->key, cdb_getkey(c), cdb_keylen(c));
	*key = text_string(&table->key);
	return TABLE_FOUND;
}

/* Writing: all is kept in memory until the end. Keys and values have no NUL here, as tinycdb's own tool makes them. */

static const char *
create_cdb(struct table_build *b)
{
	b->handle = map_new();
	return NULL;
}

static const char *
copy_cdb(struct table_build *b)
{
	struct cdb c;
	unsigned at;

	if (cdb_init(&c, b->old) != 0)
		return "not a cdb file";
	cdb_seqinit(&at, &c);
	while (cdb_seqnext(&at, &c) > 0) {
		struct text key = TEXT_EMPTY, value = TEXT_EMPTY;

		keep(&key, cdb_getkey(&c), cdb_keylen(&c));
		keep(&value, cdb_getdata(&c), cdb_datalen(&c));
		free(map_set(b->handle, text_string(&key),
		    mem_strdup(text_string(&value))));
		text_clear(&key);
		text_clear(&value);
	}
	cdb_free(&c);
	return NULL;
}

static const char *
put_cdb(struct table_build *b, struct table_item key,
    struct table_item value, bool replace, bool *was_there)
{
	bool there = map_get(b->handle, key.bytes) != NULL;

	*was_there = there && !replace;
	if (!*was_there)
		free(map_set(b->handle, key.bytes, mem_strdup(value.bytes)));
	return NULL;
}

static const char *
delete_cdb(struct table_build *b, struct table_item key, bool *was_there)
{
	char *value = map_remove(b->handle, key.bytes);

	*was_there = value != NULL;
	free(value);
	return NULL;
}

static const char *
finish_cdb(struct table_build *b)
{
	struct cdb_make make;
	size_t at = 0;
	const char *key, *failed = NULL;
	void *value;
	int fd = open(b->new_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd == -1 || cdb_make_start(&make, fd) != 0) {
		fd_close(&fd);
		return strerror(errno);
	}
	while (failed == NULL &&
	    (key = map_next(b->handle, &at, &value)) != NULL)
		if (cdb_make_add(&make, key, (unsigned)strlen(key), value,
		    (unsigned)strlen(value)) != 0)
			failed = strerror(errno);
	if (cdb_make_finish(&make) != 0 && failed == NULL)
		failed = strerror(errno);
	fd_close(&fd);
	return failed;
}

static void
drop_cdb(struct table_build *b)
{
	struct map *map = b->handle;

	map_free(&map, free);
}

const struct table_backend table_cdb = {
	.type = "cdb",
	.suffix = ".cdb",
	.open = open_cdb,
	.get = get_cdb,
	.next = next_cdb,
	.close = close_cdb,
};

const struct table_writer table_write_cdb = {
	.type = "cdb",
	.suffix = ".cdb",
	.create = create_cdb,
	.copy = copy_cdb,
	.put = put_cdb,
	.delete = delete_cdb,
	.finish = finish_cdb,
	.drop = drop_cdb,
};

#endif
