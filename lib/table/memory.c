/* texthash:, inline:, static:, randmap:, environ: and fail: - tables that fit into memory */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/lines.h"
#include "config/values.h"
#include "table/internal.h"
#include "table/source.h"

#define TEXT_LIMIT	(64 * 1024 * 1024)

/* Set unless it is there: of two values the first counts, as with postmap(1). line is 0 for one that is not in a file. */
static void
put(struct table *table, int line, char *key, const char *value)
{
	if (!(table->flags & TABLE_KEEP_CASE))
		text_lower(key);
	if (map_get(table->handle, key) == NULL)
		map_set(table->handle, key, mem_strdup(value));
	else if (line == 0)
		log_warning("%s: duplicate entry: \"%s\"", table->name, key);
	else
		log_warning("%s, line %d: duplicate entry: \"%s\"",
		    table->path, line, key);
}

static void
close_map(struct table *table)
{
	struct map *map = table->handle;

	map_free(&map, free);
}

static enum table_answer
get_from_map(struct table *table, const char *key)
{
	const char *value = map_get(table->handle, key);

	if (value == NULL)
		return TABLE_NONE;
	text_puts(&table->value, value);
	return TABLE_FOUND;
}

static enum table_answer
next_in_map(struct table *table, int *position, const char **key)
{
	size_t at = (size_t)*position;
	void *value;

	if ((*key = map_next(table->handle, &at, &value)) == NULL)
		return TABLE_NONE;
	*position = (int)at;
	text_truncate(&table->value, 0);
	text_puts(&table->value, value);
	return TABLE_FOUND;
}

static int
open_texthash(struct table *table)
{
	struct lines lines;
	size_t length;
	char *text = file_read(table->path, TEXT_LIMIT, &length), *line;

	if (text == NULL) {
		text_printf(&table->why, "open file %s: %s", table->path,
		    strerror(errno));
		return -1;
	}
	table->handle = map_new();
	lines_open(&lines, text, length);
	while ((line = lines_next(&lines)) != NULL) {
		char *key, *value;
		const char *wrong = source_split(line, &key, &value);

		if (wrong == NULL && text_ends_with(key, ":"))
			log_warning("%s, line %d: record is in \"key: value\" "
			    "format; is this an alias file?", table->path,
			    lines.first);
		if (wrong == NULL)
			put(table, lines.first, key, value);
		else
			log_warning("%s, line %d: %s -- ignoring this line",
			    table->path, lines.first, wrong);
	}
	lines_close(&lines);
	free(text);
	return 0;
}

/* "key=value" or "{ key = value }" in place; NULL, or what is wrong. */
static const char *
split_pair(char *pair, char **key, char **value)
{
	char *equals;

	if (*pair == '{') {
		pair[strlen(pair) - 1] = '\0';
		pair = text_trim(pair + 1);
	}
	if ((equals = strchr(pair, '=')) == NULL)
		return "expected key=value";
	*equals = '\0';
	*key = text_trim(pair);
	*value = text_trim(equals + 1);
	return **key == '\0' ? "expected a key before the =" : NULL;
}

const char *
table_open_braces(char *text, char **inside)
{
	size_t length = strlen(text);

	if (*text != '{' || text[length - 1] != '}')
		return "expected { and }";
	text[length - 1] = '\0';
	*inside = text + 1;
	return NULL;
}

static int
open_inline(struct table *table)
{
	char *copy = mem_strdup(table->path), *cursor, *pair, *key, *value;
	const char *wrong = table_open_braces(copy, &cursor);

	table->handle = map_new();
	while (wrong == NULL && (pair = config_word(&cursor, &wrong)) != NULL)
		if (wrong == NULL &&
		    (wrong = split_pair(pair, &key, &value)) == NULL)
			put(table, 0, key, value);
	if (wrong == NULL && map_count(table->handle) == 0)
		wrong = "an empty table";
	free(copy);
	if (wrong == NULL)
		return 0;
	text_printf(&table->why, "%s", wrong);
	close_map(table);
	return -1;
}

static int
open_static(struct table *table)
{
	char *copy = mem_strdup(table->path), *inside = copy;

	if (*copy == '{') {
		const char *wrong = table_open_braces(copy, &inside);

		if (wrong != NULL) {
			text_puts(&table->why, wrong);
			free(copy);
			return -1;
		}
		inside = text_trim(inside);
	}
	table->handle = mem_strdup(inside);
	free(copy);
	return 0;
}

static enum table_answer
get_static(struct table *table, const char *key)
{
	text_puts(&table->value, table->handle);
	return TABLE_FOUND;
}

static void
close_static(struct table *table)
{
	free(table->handle);
}

/* randmap: one of its values, by chance. */
struct choice {
	char	**values;
	uint32_t  count;
};

static void
close_randmap(struct table *table)
{
	struct choice *choice = table->handle;

	for (size_t i = 0; i < choice->count; i++)
		free(choice->values[i]);
	free(choice->values);
	free(choice);
}

static int
open_randmap(struct table *table)
{
	char *copy = mem_strdup(table->path), *cursor, *word;
	const char *wrong = table_open_braces(copy, &cursor);
	struct choice *choice = mem_zalloc(1, sizeof(*choice));

	table->handle = choice;
	while (wrong == NULL && (word = config_word(&cursor, &wrong)) != NULL) {
		if (*word == '{' && table_open_braces(word, &word) == NULL)
			word = text_trim(word);
		choice->values = mem_resize(choice->values, choice->count + 1,
		    sizeof(*choice->values));
		choice->values[choice->count++] = mem_strdup(word);
	}
	free(copy);
	if (wrong == NULL && choice->count > 0)
		return 0;
	text_printf(&table->why, "bad syntax: \"%s\"; need "
	    "\"randmap:{value...}\"", table->name);
	close_randmap(table);
	return -1;
}

static enum table_answer
get_randmap(struct table *table, const char *key)
{
	struct choice *choice = table->handle;

	text_puts(&table->value,
	    choice->values[arc4random_uniform(choice->count)]);
	return TABLE_FOUND;
}

static int
open_nothing(struct table *table)
{
	return 0;
}

static void
close_nothing(struct table *table)
{
}

static enum table_answer
get_environ(struct table *table, const char *key)
{
	const char *value = getenv(key);

	text_puts(&table->value, value == NULL ? "" : value);
	return value == NULL ? TABLE_NONE : TABLE_FOUND;
}

static enum table_answer
get_fail(struct table *table, const char *key)
{
	text_puts(&table->why, "it fails by design");
	return TABLE_ERROR;
}

const struct table_backend table_texthash = {
	.type = "texthash",
	.suffix = "",
	.open = open_texthash,
	.get = get_from_map,
	.next = next_in_map,
	.close = close_map,
};

const struct table_backend table_inline = {
	.type = "inline",
	.open = open_inline,
	.get = get_from_map,
	.next = next_in_map,
	.close = close_map,
};

const struct table_backend table_static = {
	.type = "static",
	.open = open_static,
	.get = get_static,
	.close = close_static,
};

const struct table_backend table_fail = {
	.type = "fail",
	.open = open_nothing,
	.get = get_fail,
	.close = close_nothing,
};

const struct table_backend table_randmap = {
	.type = "randmap",
	.is_pattern = true,
	.open = open_randmap,
	.get = get_randmap,
	.close = close_randmap,
};

const struct table_backend table_environ = {
	.type = "environ",
	.keeps_case = true,
	.open = open_nothing,
	.get = get_environ,
	.close = close_nothing,
};
