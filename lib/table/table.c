/* Tables by name: the registry, rebuilt files, and the way to proxymap. */

#include "table/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "ipc/ipc.h"
#include "sandbox/sandbox.h"
#include "table/asker.h"
#include "table/internal.h"

#define LOOK_MS		1000	/* between two looks at a table's file */
#define COMPLAIN_MS	1000	/* between two lines about the same table */

static const struct table_backend *const backends[] = {
	&table_hash, &table_btree, &table_texthash, &table_inline,
	&table_static, &table_randmap, &table_environ, &table_fail,
	&table_unix, &table_unionmap, &table_pipemap, &table_cidr,
	&table_regexp, &table_tcp, &table_socketmap,
#ifdef HAVE_PCRE2
	&table_pcre,
#endif
#ifdef HAVE_LMDB
	&table_lmdb,
#endif
#ifdef HAVE_CDB
	&table_cdb,
#endif
};

/* Types that Postfix has and postroad has not yet, so that the message is of use. */
static const struct { const char *type, *why; } missing[] = {
	{ "cdb", "not in this build: tinycdb was not there" },
	{ "dbm", "not supported: use hash" },
	{ "internal", "not supported" },
	{ "ldap", "not implemented yet" },
	{ "lmdb", "not in this build: LMDB was not there" },
	{ "memcache", "not implemented yet" },
	{ "mongodb", "not implemented yet" },
	{ "mysql", "not implemented yet" },
	{ "nis", "not supported" },
	{ "nisplus", "not supported" },
	{ "pcre", "not in this build: PCRE2 was not there" },
	{ "pgsql", "not implemented yet" },
	{ "sdbm", "not supported: use hash" },
	{ "sqlite", "not implemented yet" },
};

void (*table_witness)(struct table *, const char *, enum table_answer,
    const char *);

static TAILQ_HEAD(, table) tables = TAILQ_HEAD_INITIALIZER(tables);

static const struct table_backend *
find_backend(const char *type, size_t length)
{
	for (size_t i = 0; i < COUNT_OF(backends); i++)
		if (strncmp(backends[i]->type, type, length) == 0 &&
		    backends[i]->type[length] == '\0')
			return backends[i];
	return NULL;
}

const char *
table_type_missing(const char *name)
{
	if (strncmp(name, "proxy:", 6) == 0)
		name += 6;

	size_t length = strcspn(name, ":");

	if (find_backend(name, length) != NULL)
		return NULL;
	for (size_t i = 0; i < COUNT_OF(missing); i++)
		if (strncmp(missing[i].type, name, length) == 0 &&
		    missing[i].type[length] == '\0')
			return missing[i].why;
	return "there is no such type of table";
}

const char *
table_type(size_t index)
{
	return index < COUNT_OF(backends) ? backends[index]->type : NULL;
}

bool
table_is_pattern(const struct table *table)
{
	return table->has_pattern ||
	    (table->backend != NULL && table->backend->is_pattern);
}

const char *
table_name(const struct table *table)
{
	return table->name;
}

const char *
table_why(const struct table *table)
{
	return text_string(&table->why);
}

static char *
file_of(const struct table *table)
{
	return mem_printf("%s%s", table->path, table->backend->suffix);
}

/* A table that was not rebuilt after its source changed surprises its owner. */
static void
compare_with_source(const struct table *table)
{
	struct stat source;

	if (*table->backend->suffix != '\0' &&
	    stat(table->path, &source) == 0 &&
	    source.st_mtime > table->file.st_mtime)
		log_warning("%s: table is older than its source; run %s",
		    table->name, text_ends_with(table->path, "aliases")
		    ? "newaliases" : "postmap");
}

static void
close_backend(struct table *table)
{
	if (table->is_open)
		table->backend->close(table);
	table->is_open = false;
	table->handle = NULL;
	fd_close(&table->fd);
}

/* Open the file, if there is one, and what the backend makes of it. */
static int
open_backend(struct table *table)
{
	text_truncate(&table->why, 0);
	table->error = 0;
	if (table->backend->suffix != NULL && *table->path != '{') {
		char *path = file_of(table);

		table->fd = open(path, O_RDONLY | O_CLOEXEC);
		if (table->fd == -1 || fstat(table->fd, &table->file) == -1) {
			table->error = errno;
			text_printf(&table->why, "open %s %s: %s",
			    *table->backend->suffix != '\0' ? "database"
			    : "file", path, strerror(errno));
			free(path);
			fd_close(&table->fd);
			return -1;
		}
		free(path);
	}
	if (table->backend->open(table) == -1) {
		fd_close(&table->fd);
		return -1;
	}
	table->is_open = true;
	return 0;
}

static bool
is_refusal(int error)
{
	return sandbox_is_closed && (error == EACCES || error == EPERM);
}

/* Is it our confinement that keeps the table from us? Then proxymap may know it. */
static bool
is_confined(const struct table *table)
{
	return !(table->flags & TABLE_HERE) &&
	    (ipc_is_inside_chroot() || is_refusal(table->error));
}

/* A server that must not be spoken to from inside a sandbox. */
static bool
is_out_of_reach(const struct table *table)
{
	return table->backend->is_remote && sandbox_is_closed &&
	    !(table->flags & TABLE_HERE);
}

static void
open_table(struct table *table)
{
	if (open_backend(table) == 0) {
		if (table->backend->suffix != NULL)
			compare_with_source(table);
	} else if (is_confined(table))
		table->by_proxy = true;
}

/* The rebuilt file takes the place of the open one, once it can be read. */
static void
reopen(struct table *table)
{
	struct table old = *table;

	table->handle = NULL;
	table->fd = -1;
	table->is_open = false;
	if (open_backend(table) == 0) {
		void *handle = table->handle;
		int fd = table->fd;

		table->handle = old.handle;
		table->fd = old.fd;
		close_backend(table);
		table->handle = handle;
		table->fd = fd;
		table->is_open = true;
		return;
	}
	table->handle = old.handle;
	table->fd = old.fd;
	table->file = old.file;
	table->is_open = true;
	if (is_confined(table)) {
		close_backend(table);
		table->by_proxy = true;
		return;
	}
	log_warning("%s: the new table cannot be read: %s; using the old one",
	    table->name, text_string(&table->why));
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Invariant 2, where the path says nothing: a file without a name was replaced. */
static void
look_at_descriptor(struct table *table)
{
	struct stat now;

	if (fstat(table->fd, &now) == 0 && now.st_nlink > 0 &&
	    same_file(&now, &table->file))
		return;
	close_backend(table);
	table->by_proxy = true;
}

static void
look_at_file(struct table *table)
{
	char *path = file_of(table);
	struct stat now;

	if (ipc_is_inside_chroot())
		look_at_descriptor(table);
	else if (stat(path, &now) == 0) {
		if (!same_file(&now, &table->file))
			reopen(table);
	} else if (is_refusal(errno) && !(table->flags & TABLE_HERE))
		look_at_descriptor(table);
	free(path);
}

static void
refresh(struct table *table)
{
	int64_t now = clock_ms();

	if (table->by_proxy || (table->is_open && table->fd == -1) ||
	    now - table->looked_ms < LOOK_MS)
		return;
	table->looked_ms = now;
	if (table->is_open)
		look_at_file(table);
	else
		open_table(table);
}

struct table *
table_open(const char *name, int flags)
{
	struct table *table;
	const char *colon;

	if (strncmp(name, "proxy:", 6) == 0)
		name += 6;
	TAILQ_FOREACH(table, &tables, link) {
		if (strcmp(table->name, name) == 0 && table->flags == flags) {
			table->users++;
			return table;
		}
	}
	table = mem_zalloc(1, sizeof(*table));
	table->users = 1;
	table->name = mem_strdup(name);
	table->flags = flags;
	table->fd = -1;
	colon = strchr(table->name, ':');
	table->path = colon == NULL ? "" : colon + 1;
	if (colon != NULL)
		table->backend = find_backend(table->name,
		    (size_t)(colon - table->name));
	if (table->backend == NULL)
		text_puts(&table->why, colon == NULL
		    ? "expected type:name" : table_type_missing(table->name));
	else {
		table->looked_ms = clock_ms();
		open_table(table);
	}
	TAILQ_INSERT_TAIL(&tables, table, link);
	return table;
}

void
table_close(struct table **table)
{
	struct table *t = *table;

	*table = NULL;
	if (t == NULL || --t->users > 0)
		return;
	TAILQ_REMOVE(&tables, t, link);
	close_backend(t);
	text_clear(&t->key);
	text_clear(&t->value);
	text_clear(&t->why);
	free(t->name);
	free(t);
}

static void
complain(struct table *table)
{
	int64_t now = clock_ms();

	if (table->flags & TABLE_QUIET)
		return;
	if (table->complained_ms != 0 &&
	    now - table->complained_ms < COMPLAIN_MS)
		return;
	table->complained_ms = now;
	log_warning("%s is unavailable. %s", table->name,
	    text_string(&table->why));
}

/* What was opened before the chroot may not serve in it: the users of the system are found by name. */
static enum table_answer
get_here(struct table *table, const char *key)
{
	enum table_answer answer;

	text_truncate(&table->value, 0);
	text_truncate(&table->why, 0);
	if (table->backend->is_remote && table_asker_get(table, key, &answer))
		return answer;
	answer = table->backend->get(table, key);
	if (answer == TABLE_ERROR && is_confined(table)) {
		close_backend(table);
		table->by_proxy = true;
	}
	return answer;
}

/* By proxymap, which somebody may ask without waiting. */
static enum table_answer
get_there(struct table *table, const char *key)
{
	enum table_answer answer;

	text_truncate(&table->value, 0);
	text_truncate(&table->why, 0);
	if (!table_asker_get(table, key, &answer))
		answer = table_ask_proxy(table, key);
	return answer;
}

/* Look again at what may have changed: the file, the sandbox. */
static void
look_around(struct table *table)
{
	if (table->backend != NULL)
		refresh(table);
	if (table->is_open && is_out_of_reach(table)) {
		close_backend(table);
		table->by_proxy = true;
	}
}

int
table_flags(const struct table *table)
{
	return table->flags;
}

enum table_answer
table_get(struct table *table, const char *key, const char **value)
{
	enum table_answer answer = TABLE_ERROR;
	size_t misses = table_asker_misses();

	*value = NULL;
	text_truncate(&table->key, 0);
	text_puts(&table->key, key);
	key = text_string(&table->key);
	if (!(table->flags & TABLE_KEEP_CASE) && *key != '\0' &&
	    (table->backend == NULL || !table->backend->keeps_case))
		text_lower(table->key.bytes);

	look_around(table);
	if (table->is_open)
		answer = get_here(table, key);
	if (table->by_proxy)
		answer = get_there(table, key);
	if (table_asker_misses() != misses)
		return TABLE_ERROR;
	if (answer == TABLE_FOUND)
		*value = text_string(&table->value);
	/* All will be looked up again: it is told then. */
	if (table_is_asking())
		return answer;
	if (answer == TABLE_ERROR)
		complain(table);
	if (table_witness != NULL)
		table_witness(table, key, answer, *value);
	return answer;
}

enum table_answer
table_next(struct table *table, int *position, const char **key,
    const char **value)
{
	enum table_answer answer;

	if (!table->is_open)
		return TABLE_ERROR;
	text_truncate(&table->why, 0);
	if (table->backend->next == NULL) {
		text_puts(&table->why, "this type cannot be listed");
		return TABLE_ERROR;
	}
	answer = table->backend->next(table, position, key);
	*value = text_string(&table->value);
	return answer;
}
