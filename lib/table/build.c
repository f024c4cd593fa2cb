#include "table/build.h"

#include <db.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"

#define DEFAULT_MODE	0644

struct table_build {
	DB	*db;
	DBTYPE	 type;
	int	 flags;
	char	*path;		/* of the table */
	char	*new_path;	/* where it is written */
	int	 old;		/* the table as it was, locked; -1 if there is none */
	uid_t	 uid;
	gid_t	 gid;
	mode_t	 mode;
};

static void
ignore_message(const DB_ENV *env, const char *prefix, const char *message)
{
}

static void
build_free(struct table_build **build)
{
	struct table_build *b = *build;

	if (b->db != NULL)
		b->db->close(b->db, DB_NOSYNC);
	fd_close(&b->old);
	free(b->path);
	free(b->new_path);
	free(b);
	*build = NULL;
}

/* Invariant 2: whoever changes a table holds its lock; after the wait it may be another file. */
static int
lock_old(struct table_build *b)
{
	struct stat open_file, named_file;

	for (;;) {
		b->old = open(b->path, O_RDWR | O_CLOEXEC);
		if (b->old == -1)
			return errno == ENOENT ? 0 : -1;
		if (flock(b->old, LOCK_EX) == -1 ||
		    fstat(b->old, &open_file) == -1)
			return -1;
		if (stat(b->path, &named_file) == 0 &&
		    named_file.st_ino == open_file.st_ino)
			return 0;
		fd_close(&b->old);
	}
}

/* The new table belongs to whom its source belongs, and is as readable. */
static void
inherit(struct table_build *b, const char *source)
{
	struct stat from;

	b->uid = geteuid();
	b->gid = getegid();
	b->mode = DEFAULT_MODE;
	if (stat(source, &from) == -1 &&
	    (b->old == -1 || fstat(b->old, &from) == -1))
		return;
	if (geteuid() == 0) {
		b->uid = from.st_uid;
		b->gid = from.st_gid;
	}
	if (!(b->flags & TABLE_BUILD_OWN_MODE))
		b->mode = from.st_mode & 0666;
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

static int
copy_old(struct table_build *b)
{
	DBT key = { 0 }, value = { 0 };
	DBC *cursor;
	int error;
	DB *old = open_db(b->path, b->type, DB_RDONLY, &error);

	if (old == NULL)
		return error;
	if ((error = old->cursor(old, NULL, &cursor, 0)) == 0) {
		while ((error = cursor->get(cursor, &key, &value,
		    DB_NEXT)) == 0 &&
		    (error = b->db->put(b->db, NULL, &key, &value, 0)) == 0)
			continue;
		cursor->close(cursor);
	}
	old->close(old, DB_NOSYNC);
	return error == DB_NOTFOUND ? 0 : error;
}

struct table_build *
table_build_begin(const char *name, int flags, struct text *why)
{
	struct table_build *b = mem_zalloc(1, sizeof(*b));
	const char *colon = strchr(name, ':');
	int error;

	b->old = -1;
	b->flags = flags;
	if (strncmp(name, "hash:", 5) == 0)
		b->type = DB_HASH;
	else if (strncmp(name, "btree:", 6) == 0)
		b->type = DB_BTREE;
	else {
		text_printf(why, "unsupported dictionary type: %.*s; tables of"
		    " type hash and btree are built",
		    (int)(colon == NULL ? 0 : colon - name), name);
		build_free(&b);
		return NULL;
	}
	b->path = mem_printf("%s.db", colon + 1);
	b->new_path = mem_printf("%s.new.%ld", b->path, (long)getpid());
	if (lock_old(b) == -1) {
		text_printf(why, "open database %s: %s", b->path,
		    strerror(errno));
		build_free(&b);
		return NULL;
	}
	inherit(b, colon + 1);
	unlink(b->new_path);
	b->db = open_db(b->new_path, b->type, DB_CREATE | DB_EXCL, &error);
	if (b->db != NULL && b->old != -1 && (flags & TABLE_BUILD_KEEP))
		error = copy_old(b);
	if (error != 0) {
		text_printf(why, "create database %s: %s", b->new_path,
		    db_strerror(error));
		table_build_abandon(&b);
	}
	return b;
}

static DBT
item(const struct table_build *b, const char *text)
{
	return (DBT){ .data = (void *)(uintptr_t)text, .size =
	    (u_int32_t)strlen(text) + !(b->flags & TABLE_BUILD_NO_NUL) };
}

int
table_build_put(struct table_build *b, const char *key, const char *value,
    bool replace, struct text *why)
{
	DBT k = item(b, key), v = item(b, value);
	int error = b->db->put(b->db, NULL, &k, &v,
	    replace ? 0 : DB_NOOVERWRITE);

	if (error == 0 || error == DB_KEYEXIST)
		return error != 0;
	text_printf(why, "write %s: %s", b->new_path, db_strerror(error));
	return -1;
}

int
table_build_delete(struct table_build *b, const char *key, struct text *why)
{
	DBT k = item(b, key);
	int error = b->db->del(b->db, NULL, &k, 0);

	if (error == DB_NOTFOUND) {	/* a table that others made, without NULs */
		k.size = (u_int32_t)strlen(key);
		error = b->db->del(b->db, NULL, &k, 0);
	}
	if (error == 0 || error == DB_NOTFOUND)
		return error != 0;
	text_printf(why, "write %s: %s", b->new_path, db_strerror(error));
	return -1;
}

static int
sync_directory_of(const char *path)
{
	char *copy = mem_strdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd == -1 ? -1 : fsync(fd);

	fd_close(&fd);
	free(copy);
	return result;
}

/* Invariant 1, step by step. NULL, or the step that failed with errno. */
static const char *
put_in_place(const struct table_build *b)
{
	int fd = open(b->new_path, O_RDWR | O_CLOEXEC);
	const char *failed = NULL;

	if (fd == -1)
		return "open";
	if (geteuid() == 0 && fchown(fd, b->uid, b->gid) == -1)
		failed = "change the owner of";
	else if (fchmod(fd, b->mode) == -1)
		failed = "change the mode of";
	else if (fsync(fd) == -1)
		failed = "sync";
	else if (rename(b->new_path, b->path) == -1)
		failed = "rename";
	else if (sync_directory_of(b->path) == -1)
		failed = "sync the directory of";
	fd_close(&fd);
	return failed;
}

int
table_build_commit(struct table_build **build, struct text *why)
{
	struct table_build *b = *build;
	int error = b->db->close(b->db, 0);
	const char *failed;

	b->db = NULL;
	if (error != 0)
		text_printf(why, "write %s: %s", b->new_path,
		    db_strerror(error));
	else if ((failed = put_in_place(b)) != NULL)
		text_printf(why, "%s %s: %s", failed, b->new_path,
		    strerror(errno));
	else {
		build_free(build);
		return 0;
	}
	table_build_abandon(build);
	return -1;
}

void
table_build_abandon(struct table_build **build)
{
	if (*build == NULL)
		return;
	unlink((*build)->new_path);
	build_free(build);
}

const char *
table_build_path(const struct table_build *b)
{
	return b->path;
}
