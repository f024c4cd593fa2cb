#include "table/asker.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "table/internal.h"

static struct table_asker *current;
static bool never_waits;

void
table_never_wait(void)
{
	never_waits = true;
}

bool
table_is_far(const char *name)
{
	if (text_starts_with(name, "proxy:"))
		name += strlen("proxy:");
	if (text_starts_with(name, "unionmap:") ||
	    text_starts_with(name, "pipemap:"))
		return strstr(name, "tcp:") != NULL ||
		    strstr(name, "socketmap:") != NULL;
	return text_starts_with(name, "tcp:") ||
	    text_starts_with(name, "socketmap:");
}

void
table_ask_with(struct table_asker *asker)
{
	current = asker;
}

bool
table_is_asking(void)
{
	return current != NULL && current->pending > 0;
}

size_t
table_asker_misses(void)
{
	return current == NULL ? 0 : current->misses;
}

static void
question_free(void *argument)
{
	struct table_question *question = argument;

	free(question->table);
	free(question->key);
	free(question->text);
	free(question);
}

void
table_asker_note(struct table_question *question, enum table_answer answer,
    const char *text)
{
	question->is_known = true;
	question->answer = answer;
	question->text = mem_strdup(text);
	question->asker->pending--;
}

void
table_asker_clear(struct table_asker *asker)
{
	map_free(&asker->questions, question_free);
	asker->pending = 0;
}

/* The question of this name, which is asked if it is new; NULL: there are as many as may be. */
static struct table_question *
find(struct table_asker *asker, const char *name, const struct table *table,
    const char *key)
{
	struct table_question *question = NULL;

	if (asker->questions == NULL)
		asker->questions = map_new();
	else
		question = map_get(asker->questions, name);
	if (question != NULL ||
	    asker->pending >= (asker->at_once > 0 ? asker->at_once : 1))
		return question;
	question = mem_zalloc(1, sizeof(*question));
	question->asker = asker;
	question->table = mem_strdup(table->name);
	question->flags = table->flags;
	question->key = mem_strdup(key);
	map_set(asker->questions, name, question);
	asker->pending++;
	asker->ask(question, asker->argument);
	return question;
}

bool
table_asker_get(struct table *table, const char *key,
    enum table_answer *answer)
{
	const struct table_question *question;
	char *name;

	if (current == NULL) {
		if (!never_waits || !table_is_far(table->name))
			return false;
		text_puts(&table->why, "nothing here waits for a server");
		*answer = TABLE_ERROR;
		return true;
	}
	name = mem_printf("%d %s %s", table->flags, table->name, key);
	question = find(current, name, table, key);
	free(name);
	*answer = TABLE_ERROR;
	if (question == NULL || !question->is_known) {
		current->misses++;
		return true;
	}
	*answer = question->answer;
	text_puts(*answer == TABLE_ERROR ? &table->why : &table->value,
	    question->text);
	return true;
}
