/* Loading: definitions from main.cf and -o, expanded on demand, stored by type. */

#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/expand.h"
#include "config/internal.h"
#include "config/network.h"
#include "config/snapshot.h"

#define MAIN_CF_LIMIT	(8 * 1024 * 1024)

struct config config;

/* One load. Strings live in its pool. */
struct loaded {
	struct pool	*pool;
	struct map	*definitions;	/* name to struct definition */
	struct map	*defaults;	/* name to its computed default */
	struct map	*expanded;	/* name to its value, once asked for */
	const char	*directory;
	char		*file;
	const char	*origin;	/* the first line of the file that myorigin names; NULL: not asked for */
	bool		 only_read;	/* for who edits: no value is looked at, no file that one names */
};

static struct loaded *loaded;	/* while it loads, the one that is being loaded */

static struct loaded *
loaded_new(const char *directory)
{
	struct loaded *l = mem_zalloc(1, sizeof(*l));

	l->pool = pool_new(0);
	l->definitions = map_new();
	l->defaults = map_new();
	l->expanded = map_new();
	l->directory = pool_strdup(l->pool, directory);
	l->file = pool_printf(l->pool, "%s/main.cf", directory);
	return l;
}

static void
loaded_free(struct loaded **l)
{
	if (*l == NULL)
		return;
	map_free(&(*l)->definitions, NULL);
	map_free(&(*l)->defaults, NULL);
	map_free(&(*l)->expanded, NULL);
	pool_free(&(*l)->pool);
	free(*l);
	*l = NULL;
}

static void
define(const char *name, const char *value, int line, void *file)
{
	struct definition *d = pool_alloc(loaded->pool, sizeof(*d));
	const struct definition *before = map_get(loaded->definitions, name);

	*d = (struct definition){
		.value = pool_strdup(loaded->pool, value),
		.file = file,
		.line = line,
		.earlier = before != NULL && before->file == file
		    ? before->value : NULL,
	};
	map_set(loaded->definitions, name, d);
}

const struct definition *
config_find_definition(const char *name)
{
	return loaded == NULL ? NULL : map_get(loaded->definitions, name);
}

const char *
config_definition(const char *name, const char **file, int *line)
{
	const struct definition *d = config_find_definition(name);

	if (d == NULL)
		return NULL;
	if (file != NULL)
		*file = d->file;
	if (line != NULL)
		*line = d->line;
	return d->value;
}

void
config_warn_earlier(const char *name)
{
	const struct definition *d = config_find_definition(name);

	if (d != NULL && d->earlier != NULL && d->line > 0)
		log_warning("%s, line %d: overriding earlier entry: %s=%s",
		    d->file, d->line, name, d->earlier);
}

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *
config_next_definition(size_t *position)
{
	static const char **names;
	size_t count = map_count(loaded->definitions);

	if (*position == 0) {
		size_t cursor = 0;

		names = mem_resize(names, count + 1, sizeof(*names));
		for (size_t i = 0; i < count; i++)
			names[i] = map_next(loaded->definitions, &cursor, NULL);
		qsort(names, count, sizeof(*names), compare_strings);
	}
	return *position < count ? names[(*position)++] : NULL;
}

const char *
config_default(const struct parameter *p)
{
	if (*p->preset != '(')
		return p->preset;

	char *value = map_get(loaded->defaults, p->name);

	if (value == NULL) {
		char *made = config_compute_default(p->name);

		if (made == NULL)
			panic("%s: nobody computes its default", p->name);
		value = pool_strdup(loaded->pool, made);
		map_set(loaded->defaults, p->name, value);
		free(made);
	}
	return value;
}

/* Debian's habit: myorigin = /etc/mailname means the first line of that file, which is read once. */
static const char *
first_line_of(const char *path)
{
	char *text, *line;

	if (loaded->origin != NULL)
		return loaded->origin;
	loaded->origin = path;
	text = file_read(path, 4096, NULL);
	if (text == NULL) {
		log_error("%s: myorigin = %s: %m", loaded->file, path);
		return path;
	}
	text[strcspn(text, "\r\n")] = '\0';
	line = pool_strdup(loaded->pool, text_trim(text));
	free(text);
	return loaded->origin = line;
}

/* What expand() is told: the definition, else the default, else NULL. */
static const char *
raw_value(const char *name, void *context)
{
	const struct definition *d = config_find_definition(name);
	const struct parameter *p = config_parameter(name);

	(void)context;
	if (d != NULL && *d->value == '/' && !loaded->only_read &&
	    strcmp(name, "myorigin") == 0)
		return first_line_of(d->value);
	if (d != NULL)
		return d->value;
	return p == NULL ? NULL : config_default(p);
}

/* "main.cf, line 7", "command line", or "default". */
static const char *
origin(const char *name, char *buffer, size_t size)
{
	const struct definition *d = config_find_definition(name);

	if (d == NULL)
		strlcpy(buffer, "default", size);
	else if (d->line == 0)
		strlcpy(buffer, d->file, size);
	else
		snprintf(buffer, size, "%s, line %d", d->file, d->line);
	return buffer;
}

const char *
config_get(const char *name)
{
	static const struct expansion main_cf = {
		.value = raw_value,
		.recursive = true,
	};
	const struct parameter *p = config_parameter(name);
	const char *raw;
	char *value;

	if (loaded == NULL || (raw = raw_value(name, NULL)) == NULL)
		return NULL;
	if (p != NULL && p->type == PARAMETER_RAW)
		return raw;
	if ((value = map_get(loaded->expanded, name)) != NULL)
		return value;

	struct text out = TEXT_EMPTY, why = TEXT_EMPTY;
	char buffer[1024];

	if (expand(&main_cf, raw, &out, &why) == -1)
		log_error("%s: %s = %.200s: %s",
		    origin(name, buffer, sizeof(buffer)), name, raw,
		    text_string(&why));
	else {
		value = pool_strdup(loaded->pool, text_string(&out));
		map_set(loaded->expanded, name, value);
	}
	text_clear(&out);
	text_clear(&why);
	return value;
}

/* Check the value of name against row, and store it if field says where. */
static int
load_value(const char *name, const struct parameter *row, void *field)
{
	const char *value = config_get(name);
	struct text expected = TEXT_EMPTY;
	char buffer[1024];
	int result = -1;

	if (value == NULL)
		return -1;	/* already logged */
	result = config_store(row, value, field, &expected);
	if (result == -1)
		log_error("%s: %s = %.200s: expected %s",
		    origin(name, buffer, sizeof(buffer)), name, value,
		    text_string(&expected));
	text_clear(&expected);
	return result;
}

static int
load_parameters(struct config *values)
{
	int result = 0;

	for (size_t i = 0; i < config_parameter_count; i++) {
		const struct parameter *p = &config_parameters[i];

		if (load_value(p->name, p, (char *)values + p->offset) == -1)
			result = -1;
	}
	return result;
}

/* The parameters of transports: checked now, read when qmgr asks. */
static int
check_transports(void)
{
	size_t position = 0;
	const char *name;
	int result = 0;

	while ((name = map_next(loaded->definitions, &position, NULL)) != NULL) {
		const struct parameter *row = config_transport_suffix(name);

		if (row != NULL && config_parameter(name) == NULL &&
		    load_value(name, row, NULL) == -1)
			result = -1;
	}
	return result;
}

static int
read_main_cf(void)
{
	size_t length;
	char *text = config_snapshot_read(loaded->file, MAIN_CF_LIMIT,
	    &length);

	if (text == NULL) {
		log_error("open %s: %m", loaded->file);
		return -1;
	}

	int result = main_cf_parse(text, length, loaded->file, define,
	    loaded->file);

	free(text);
	return result;
}

static int
read_overrides(const char *const overrides[])
{
	static char command_line[] = "command line";
	int result = 0;

	for (; overrides != NULL && *overrides != NULL; overrides++) {
		char *copy = mem_strdup(*overrides), *name, *value;
		const char *wrong = main_cf_split(copy, &name, &value);

		if (wrong == NULL)
			define(name, value, 0, command_line);
		else {
			log_error("-o %s: %s", *overrides, wrong);
			result = -1;
		}
		free(copy);
	}
	return result;
}

static const char *
choose_directory(const char *directory)
{
	const char *environment = getenv("MAIL_CONFIG");

	if (directory != NULL)
		return directory;
	if (environment != NULL && *environment != '\0')
		return environment;
	return default_config_directory;
}

/* Begin a load: from now on look-ups see it. Gives the one before. */
static struct loaded *
begin_load(const char *directory)
{
	struct loaded *before = loaded;

	loaded = loaded_new(choose_directory(directory));
	config_chosen_directory = loaded->directory;
	return before;
}

/* Invariant 2: back to the load before. */
static void
undo_load(struct loaded *before)
{
	loaded_free(&loaded);
	loaded = before;
	config_chosen_directory = before == NULL ? NULL : before->directory;
}

/* Read without looking at values: overrides, and main.cf before them or not. */
static int
read_only(const char *directory, const char *const overrides[],
    bool with_main_cf)
{
	struct loaded *before = begin_load(directory);

	loaded->only_read = true;
	if ((with_main_cf && read_main_cf() == -1) ||
	    read_overrides(overrides) == -1) {
		undo_load(before);
		return -1;
	}
	loaded_free(&before);
	return 0;
}

int
config_read(const char *directory, const char *const overrides[])
{
	return read_only(directory, overrides, true);
}

int
config_read_defaults(const char *directory, const char *const overrides[])
{
	return read_only(directory, overrides, false);
}

int
config_load(const char *directory, const char *const overrides[])
{
	struct loaded *before = begin_load(directory);
	struct config values;

	memset(&values, 0, sizeof(values));
	if (read_main_cf() == -1 || read_overrides(overrides) == -1 ||
	    load_parameters(&values) == -1 || check_transports() == -1 ||
	    network_load(values.inet_interfaces, values.inet_protocols,
	    values.proxy_interfaces) == -1) {
		undo_load(before);
		return -1;
	}
	config = values;
	loaded_free(&before);
	return 0;
}

int
config_load_variant(const char *name, const char *value,
    struct config *variant)
{
	static char variant_file[] = "variant";
	struct map *expanded = loaded->expanded;
	struct definition *before = map_get(loaded->definitions, name);
	int result;

	loaded->expanded = map_new();
	define(name, value, 0, variant_file);
	result = load_parameters(variant);
	map_free(&loaded->expanded, NULL);
	loaded->expanded = expanded;
	if (before != NULL)
		map_set(loaded->definitions, name, before);
	else
		map_remove(loaded->definitions, name);
	return result;
}
