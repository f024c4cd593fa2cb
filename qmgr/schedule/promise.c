/*
 * promise - whose turn comes when, of the mail that waits in deferred for it
 *
 * Its files have the time, and a queue run finds it there. That may be late:
 * so the first of them are remembered and woken in time, and only as many as
 * are bound to be soon.
 */

#include "qmgr/schedule/schedule.h"

#include <stdlib.h>
#include <string.h>
#include <sys/tree.h>

#define PROMISES_MAX	10000

struct promise {
	RB_ENTRY(promise) entry;
	int64_t	 turn_us;
	uint64_t number;	/* those of one time are kept in order */
	char	 id[SPOOL_ID_SIZE];
};

RB_HEAD(promises, promise);

static struct promises promises = RB_INITIALIZER(&promises);
static size_t count;

static int
compare(const struct promise *a, const struct promise *b)
{
	if (a->turn_us != b->turn_us)
		return a->turn_us < b->turn_us ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

RB_PROTOTYPE(promises, promise, entry, compare)
RB_GENERATE(promises, promise, entry, compare)

static void
forget(struct promise *promise)
{
	RB_REMOVE(promises, &promises, promise);
	count--;
	free(promise);
}

void
promise_remember(const char *id, int64_t turn_us)
{
	static uint64_t last_number;
	struct promise *promise = mem_zalloc(1, sizeof(*promise));

	promise->turn_us = turn_us;
	promise->number = ++last_number;
	strlcpy(promise->id, id, sizeof(promise->id));
	RB_INSERT(promises, &promises, promise);
	if (++count > PROMISES_MAX)
		forget(RB_MAX(promises, &promises));
}

void
promise_keep(int64_t now_us)
{
	struct promise *first;

	while ((first = RB_MIN(promises, &promises)) != NULL &&
	    first->turn_us <= now_us) {
		deferred_wake(first->id, false);
		forget(first);
	}
}
