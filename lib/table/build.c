#include "table/build.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "table/writer.h"

#define DEFAULT_MODE	0644

static const struct table_writer *const writers[] = {
	&table_write_hash, &table_write_btree,
#ifdef HAVE_LMDB
	&table_write_lmdb,
#endif
#ifdef HAVE_CDB
	&table_write_cdb,
#endif
};

static void
build_free(struct table_build **build)
{
	struct table_build *b = *build;

	if (b->handle != NULL)
		b->writer->drop(b);
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

static const struct table_writer *
find_writer(const char *type, size_t length)
{
	for (size_t i = 0; i < COUNT_OF(writers); i++)
		if (strncmp(writers[i]->type, type, length) == 0 &&
		    writers[i]->type[length] == '\0')
			return writers[i];
	return NULL;
}

struct table_build *
table_build_begin(const char *name, int flags, struct text *why)
{
	struct table_build *b = mem_zalloc(1, sizeof(*b));
	size_t length = strcspn(name, ":");
	const char *source = name + length + 1, *failed;

	b->old = -1;
	b->flags = flags;
	b->writer = find_writer(name, length);
	if (b->writer == NULL || name[length] == '\0') {
		text_printf(why, table_type_missing(name) == NULL
		    ? "unsupported dictionary type: %.*s does not support "
		    "bulk-mode creation." : "unsupported dictionary type: %.*s",
		    (int)length, name);
		build_free(&b);
		return NULL;
	}
	b->path = mem_printf("%s%s", source, b->writer->suffix);
	b->new_path = mem_printf("%s.new.%ld", b->path, (long)getpid());
	if (lock_old(b) == -1) {
		text_printf(why, "open database %s: %s", b->path,
		    strerror(errno));
		build_free(&b);
		return NULL;
	}
	inherit(b, source);
	unlink(b->new_path);
	failed = b->writer->create(b);
	if (failed == NULL && b->old != -1 && (flags & TABLE_BUILD_KEEP))
		failed = b->writer->copy(b);
	if (failed != NULL) {
		text_printf(why, "create database %s: %s", b->new_path,
		    failed);
		table_build_abandon(&b);
	}
	return b;
}

static struct table_item
item(const struct table_build *b, const char *text)
{
	return (struct table_item){ text,
	    strlen(text) + !(b->flags & TABLE_BUILD_NO_NUL) };
}

/* What a writer's function said, as the functions here say it. */
static int
outcome(const struct table_build *b, const char *failed, bool good,
    struct text *why)
{
	if (failed == NULL)
		return good ? 0 : 1;
	text_printf(why, "write %s: %s", b->new_path, failed);
	return -1;
}

int
table_build_put(struct table_build *b, const char *key, const char *value,
    bool replace, struct text *why)
{
	bool was_there = false;
	const char *failed = b->writer->put(b, item(b, key), item(b, value),
	    replace, &was_there);

	return outcome(b, failed, !was_there, why);
}

int
table_build_delete(struct table_build *b, const char *key, struct text *why)
{
	struct table_item k = item(b, key);
	bool was_there = false;
	const char *failed = b->writer->delete(b, k, &was_there);

	if (failed == NULL && !was_there) {	/* a table that others made, without NULs */
		k.length = strlen(key);
		failed = b->writer->delete(b, k, &was_there);
	}
	return outcome(b, failed, was_there, why);
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
	const char *failed = b->writer->finish(b);

	if (failed != NULL)
		text_printf(why, "write %s: %s", b->new_path, failed);
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
