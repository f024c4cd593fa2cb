#include "table/cache.h"

#include <db.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

/* Pages that are kept in memory; the rest is read when it is wanted. */
#define CACHE_SIZE	(1 << 20)

struct table_cache {
	const char	*name;
	DB		*db;
	DBC		*cursor;	/* of the sweep under way */
	char		*path;		/* NULL: in memory */
	int		 mark;		/* a file beside it, locked, and not empty while the cache may be half written; -1 */
	struct text	 value, key;
	bool		 changed;
};

static void
ignore_message(const DB_ENV *env, const char *prefix, const char *message)
{
}

static DB *
db_new(void)
{
	DB *db;

	if (db_create(&db, NULL, 0) != 0)
		return NULL;
	db->set_errcall(db, ignore_message);
	db->set_cachesize(db, 0, CACHE_SIZE, 0);
	return db;
}

static int
open_db(struct table_cache *cache, DBTYPE type)
{
	int error;

	cache->db = db_new();
	if (cache->db == NULL)
		return ENOMEM;
	error = cache->db->open(cache->db, NULL, cache->path, NULL, type,
	    DB_CREATE, 0600);
	if (error != 0) {
		cache->db->close(cache->db, DB_NOSYNC);
		cache->db = NULL;
	}
	return error;
}

/* The last one who had it did not close it: is it whole? */
static bool
is_whole(const struct table_cache *cache)
{
	DB *db;

	if (access(cache->path, F_OK) == -1)
		return true;
	db = db_new();
	/* verify() is the end of its handle, whatever it gives. */
	return db != NULL &&
	    db->verify(db, cache->path, NULL, NULL, 0) == 0;
}

static void
move_away(const struct table_cache *cache, const char *why)
{
	char *aside = mem_printf("%s.broken", cache->path);

	if (rename(cache->path, aside) == 0)
		log_warning("%s: %s; moved to %s, and begun anew", cache->name,
		    why, aside);
	else if (errno != ENOENT)
		log_warning("%s: %s, and cannot be moved away: %m", cache->name,
		    why);
	free(aside);
}

/*
 * Wait until nobody else has the cache (at a reload our predecessor leaves),
 * and say that it is open now. True if that was said before, and not taken
 * back: there was a stop in between.
 */
static bool
set_mark(struct table_cache *cache)
{
	char *path = mem_printf("%s.open", cache->path);
	struct stat st = { 0 };

	cache->mark = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	if (cache->mark == -1 || flock(cache->mark, LOCK_EX) == -1 ||
	    fstat(cache->mark, &st) == -1 ||
	    fd_pwrite_all(cache->mark, "open\n", 5, 0) == -1)
		return true;
	fsync(cache->mark);
	return st.st_size > 0;
}

/* 0, or an errno of the file's. */
static int
open_file(struct table_cache *cache, DBTYPE type)
{
	int error;

	if (set_mark(cache) && !is_whole(cache))
		move_away(cache, "broken by a stop");
	error = open_db(cache, type);
	if (error == 0 || error == EACCES || error == ENOENT || error == EROFS ||
	    error == ENOSPC)
		return error;
	move_away(cache, db_strerror(error));
	return open_db(cache, type);
}

struct table_cache *
table_cache_open(const char *name)
{
	struct table_cache *cache = mem_zalloc(1, sizeof(*cache));
	const char *plain = text_starts_with(name, "proxy:") ? name + 6 : name;
	DBTYPE type = text_starts_with(plain, "hash:") ? DB_HASH : DB_BTREE;
	const char *colon = strchr(plain, ':');
	int error;

	cache->name = name;
	cache->mark = -1;
	if (type == DB_HASH || text_starts_with(plain, "btree:")) {
		cache->path = mem_printf("%s.db", colon + 1);
		error = open_file(cache, type);
		if (error == 0)
			return cache;
		log_warning("%s: cannot be opened: %s; kept in memory, for as "
		    "long as this process runs", name, db_strerror(error));
		free(cache->path);
		cache->path = NULL;
		fd_close(&cache->mark);
	} else if (*plain != '\0') {
		log_warning("%s: a cache is of type hash or btree; kept in "
		    "memory, for as long as this process runs", name);
	}
	error = open_db(cache, DB_BTREE);
	if (error != 0)
		fatal("cannot make a cache in memory: %s", db_strerror(error));
	return cache;
}

void
table_cache_close(struct table_cache **argument)
{
	struct table_cache *cache = *argument;

	if (cache == NULL)
		return;
	if (cache->cursor != NULL)
		cache->cursor->close(cache->cursor);
	if (cache->db->close(cache->db, 0) != 0 ||
	    (cache->mark != -1 && ftruncate(cache->mark, 0) == -1))
		log_warning("%s: cannot be closed: %m", cache->name);
	fd_close(&cache->mark);
	text_clear(&cache->value);
	text_clear(&cache->key);
	free(cache->path);
	free(cache);
	*argument = NULL;
}

/* With its NUL, as Postfix has it. */
static DBT
item(const char *text)
{
	return (DBT){ .data = (void *)(uintptr_t)text,
	    .size = (u_int32_t)strlen(text) + 1 };
}

static const char *
string_of(struct text *room, const DBT *bytes)
{
	text_truncate(room, 0);
	text_append(room, bytes->data, bytes->size);
	return text_string(room);
}

enum table_answer
table_cache_get(struct table_cache *cache, const char *key, const char **value)
{
	DBT wanted = item(key), found = { 0 };
	int error = cache->db->get(cache->db, NULL, &wanted, &found, 0);

	if (error == DB_NOTFOUND)
		return TABLE_NONE;
	if (error != 0) {
		log_warning("%s: cannot be read: %s", cache->name,
		    db_strerror(error));
		return TABLE_ERROR;
	}
	*value = string_of(&cache->value, &found);
	return TABLE_FOUND;
}

void
table_cache_put(struct table_cache *cache, const char *key, const char *value)
{
	DBT k = item(key), v = item(value);
	int error = cache->db->put(cache->db, NULL, &k, &v, 0);

	if (error != 0)
		log_warning("%s: cannot be written: %s", cache->name,
		    db_strerror(error));
	cache->changed = true;
}

void
table_cache_sync(struct table_cache *cache)
{
	int error = 0;

	if (cache->changed && cache->path != NULL)
		error = cache->db->sync(cache->db, 0);
	if (error != 0)
		log_warning("%s: cannot be written: %s", cache->name,
		    db_strerror(error));
	cache->changed = false;
}

bool
table_cache_sweep(struct table_cache *cache, int at_most,
    bool (*keep)(const char *, const char *, void *), void *context)
{
	DBT key = { 0 }, value = { 0 };

	if (cache->cursor == NULL &&
	    cache->db->cursor(cache->db, NULL, &cache->cursor, 0) != 0)
		return false;
	for (int i = 0; i < at_most; i++) {
		if (cache->cursor->get(cache->cursor, &key, &value, DB_NEXT) != 0) {
			cache->cursor->close(cache->cursor);
			cache->cursor = NULL;
			return false;
		}
		if (!keep(string_of(&cache->key, &key),
		    string_of(&cache->value, &value), context)) {
			cache->cursor->del(cache->cursor, 0);
			cache->changed = true;
		}
	}
	return true;
}
