/*
 * asker - look-ups for who must not wait
 *
 * What table_get() would have to wait for, proxymap(8) or in that a table's
 * server, is asked for one piece of work, while others go on: with an asker in
 * place the look-up that needs it begins a question, gives TABLE_ERROR
 * without a word, and all is looked up again when the answers have come. They are
 * remembered until then, so that the look-ups before need no second question.
 *
 *	table_ask_with(&asker);
 *	answer = ...any look-ups...
 *	table_ask_with(NULL);
 *	if (asker.pending > 0)
 *		wait; table_asker_note() has an answer; if it was the last, do the same again
 *
 * Look-ups that do not depend on one another may be asked at once: who makes
 * them goes on behind the first whose answer is missing.
 */

#ifndef TABLE_ASKER_H
#define TABLE_ASKER_H

#include <stdint.h>
#include <sys/queue.h>

#include "base/map.h"
#include "table/table.h"

/* One look-up of an asker, whose it is. */
struct table_question {
	struct table_asker	*asker;
	char			*table;		/* its name */
	int			 flags;		/* table_flags() */
	char			*key;
	bool			 is_known;
	enum table_answer	 answer;
	char			*text;		/* the value, or the reason of TABLE_ERROR */

	/* For who carries it. */
	TAILQ_ENTRY(table_question) link;
	uint64_t		 number;
};

/* All zeros but for ask and argument to begin; table_asker_clear() to end. */
struct table_asker {
	void		(*ask)(struct table_question *question, void *argument);
	void		*argument;
	void		(*again)(void *argument);	/* for service_ask_table(): all answers are there */
	size_t		 at_once;	/* more than one question, up to so many */
	size_t		 pending;	/* questions without an answer */
	size_t		 misses;	/* look-ups that had none */
	struct map	*questions;
};

/* Whose look-ups those from now on are; NULL: of somebody who waits. Keeps asker. */
void	table_ask_with(struct table_asker *asker);

/* The answer; text is the value, or the reason of TABLE_ERROR. */
void	table_asker_note(struct table_question *question,
	    enum table_answer answer, const char *text);

/* Forget all. Whoever carries its questions must have let go of them. */
void	table_asker_clear(struct table_asker *asker);

/*
 * Nobody in this process may wait for a server (tcp:, socketmap:): who looks such
 * a table up without an asker gets TABLE_ERROR at once.
 */
void	table_never_wait(void);

/* Is it, or does it have a part that is, a table that a server answers for? */
bool	table_is_far(const char *name);

/* A look-up has begun a question: what is found now is no answer, and has no effect. */
bool	table_is_asking(void);

/* For table.c. How many look-ups had no answer so far: one more, and what was looked up meanwhile is not known. */
size_t	table_asker_misses(void);

/* For table.c. True: somebody takes care of it, and *answer is his. */
bool	table_asker_get(struct table *table, const char *key,
	    enum table_answer *answer);

#endif
