/*
 * unionmap: and pipemap: - tables made of tables
 *
 *	unionmap:{a:x, b:y}	what each of them says, joined by commas
 *	pipemap:{a:x, b:y}	what a says is asked of b, and so on
 */

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/values.h"
#include "table/internal.h"

struct composite {
	struct table	**tables;
	size_t		  count;
};

static void
close_composite(struct table *table)
{
	struct composite *c = table->handle;

	for (size_t i = 0; i < c->count; i++)
		table_close(&c->tables[i]);
	free(c->tables);
	free(c);
}

/* One pattern among them makes the whole one. */
static bool
add_part(struct table *table, const char *name)
{
	struct composite *c = table->handle;
	struct table *part = table_open(name, table->flags | TABLE_QUIET);

	c->tables = mem_resize(c->tables, c->count + 1, sizeof(*c->tables));
	c->tables[c->count++] = part;
	table->has_pattern |= table_is_pattern(part);
	return strchr(name, ':') != NULL;
}

static int
open_composite(struct table *table)
{
	char *copy = mem_strdup(table->path), *cursor, *name;
	const char *wrong = table_open_braces(copy, &cursor);
	bool good = wrong == NULL;

	table->handle = mem_zalloc(1, sizeof(struct composite));
	while (good && (name = config_word(&cursor, &wrong)) != NULL)
		good = add_part(table, name);
	free(copy);
	if (good && wrong == NULL &&
	    ((struct composite *)table->handle)->count > 0)
		return 0;
	text_printf(&table->why, "bad syntax: \"%s\"; need "
	    "\"%s:{type:name...}\"", table->name, table->backend->type);
	close_composite(table);
	return -1;
}

static enum table_answer
ask(struct table *table, struct table *part, const char *key,
    const char **value)
{
	enum table_answer answer = table_get(part, key, value);

	if (answer == TABLE_ERROR)
		text_printf(&table->why, "%s: %s", table_name(part),
		    table_why(part));
	return answer;
}

static enum table_answer
get_union(struct table *table, const char *key)
{
	struct composite *c = table->handle;
	const char *value;

	for (size_t i = 0; i < c->count; i++) {
		switch (ask(table, c->tables[i], key, &value)) {
		case TABLE_ERROR:
			return TABLE_ERROR;
		case TABLE_NONE:
			break;
		case TABLE_FOUND:
			if (table->value.length > 0)
				text_putc(&table->value, ',');
			text_puts(&table->value, value);
		}
	}
	return table->value.length > 0 ? TABLE_FOUND : TABLE_NONE;
}

static enum table_answer
get_pipe(struct table *table, const char *key)
{
	struct composite *c = table->handle;
	const char *value = key;

	for (size_t i = 0; i < c->count; i++) {
		enum table_answer answer = ask(table, c->tables[i], value,
		    &value);

		if (answer != TABLE_FOUND)
			return answer;
	}
	text_puts(&table->value, value);
	return TABLE_FOUND;
}

const struct table_backend table_unionmap = {
	.type = "unionmap",
	.keeps_case = true,
	.open = open_composite,
	.get = get_union,
	.close = close_composite,
};

const struct table_backend table_pipemap = {
	.type = "pipemap",
	.keeps_case = true,
	.open = open_composite,
	.get = get_pipe,
	.close = close_composite,
};
