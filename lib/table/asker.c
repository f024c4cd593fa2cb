#include "table/asker.h"

#include <stdlib.h>

#include "base/base.h"
#include "table/internal.h"

struct known {
	enum table_answer	 answer;
	char			*text;
};

static struct table_asker *current;

void
table_ask_with(struct table_asker *asker)
{
	current = asker;
}

bool
table_is_asking(void)
{
	return current != NULL && current->pending != NULL;
}

static void
known_free(void *argument)
{
	struct known *known = argument;

	free(known->text);
	free(known);
}

void
table_asker_note(struct table_asker *asker, enum table_answer answer,
    const char *text)
{
	struct known *known = mem_alloc(sizeof(*known));

	*known = (struct known){ answer, mem_strdup(text) };
	if (asker->known == NULL)
		asker->known = map_new();
	if ((known = map_set(asker->known, asker->pending, known)) != NULL)
		known_free(known);
	free(asker->pending);
	asker->pending = NULL;
}

void
table_asker_clear(struct table_asker *asker)
{
	map_free(&asker->known, known_free);
	free(asker->pending);
	asker->pending = NULL;
}

bool
table_asker_get(struct table *table, const char *key,
    enum table_answer *answer)
{
	const struct known *known = NULL;
	char *name;

	if (current == NULL)
		return false;
	*answer = TABLE_ERROR;
	if (current->pending != NULL)
		return true;
	name = mem_printf("%d %s %s", table->flags, table->name, key);
	if (current->known != NULL)
		known = map_get(current->known, name);
	if (known == NULL) {
		current->pending = name;
		current->ask(table, key, current->argument);
		return true;
	}
	free(name);
	*answer = known->answer;
	text_puts(known->answer == TABLE_ERROR ? &table->why : &table->value,
	    known->text);
	return true;
}
