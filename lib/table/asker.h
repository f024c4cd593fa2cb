/*
 * asker - look-ups for who must not wait
 *
 * What table_get() would have to wait for, proxymap(8) or in that a table's
 * server, an event-driven daemon asks itself: with an asker in place the look-up
 * that needs it begins the question, gives TABLE_ERROR without a word, and all is
 * looked up again when the answer has come. It is remembered until then, so
 * that the look-ups before it need no second question.
 *
 *	table_ask_with(&asker);
 *	answer = ...any look-ups...
 *	table_ask_with(NULL);
 *	if (asker.pending != NULL)
 *		wait; table_asker_note() has the answer; do the same again
 */

#ifndef TABLE_ASKER_H
#define TABLE_ASKER_H

#include "base/map.h"
#include "table/table.h"

struct table_asker {
	void		(*ask)(struct table *table, const char *key,
			    void *argument);	/* must not give the answer at once */
	void		*argument;
	char		*pending;	/* what was asked and is not known; NULL: nothing */
	struct map	*known;
};

/* Whose look-ups those from now on are; NULL: of somebody who waits. Keeps asker. */
void	table_ask_with(struct table_asker *asker);

/* The answer to what is pending; text is the value, or the reason of TABLE_ERROR. */
void	table_asker_note(struct table_asker *asker, enum table_answer answer,
	    const char *text);
void	table_asker_clear(struct table_asker *asker);

/* A look-up has begun a question: what it gave is no answer. */
bool	table_is_asking(void);

/* For table.c. True: somebody takes care of it, and *answer is his. */
bool	table_asker_get(struct table *table, const char *key,
	    enum table_answer *answer);

#endif
