/*
 * queue - the administrator's hand on messages
 *
 * While the system runs, qmgr(8) does it, since it alone changes the state of
 * a message. When it is down the files and the journal are changed directly,
 * in the order that lib/spool promises: never in neither place.
 */

#ifndef TOOLS_SHARED_QUEUE_H
#define TOOLS_SHARED_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

/* Ids that go well together: they share flushes, and their answer does not take long. */
#define QUEUE_BATCH	2000

/* Find out whether the system runs; the working directory is the queue directory. */
void	queue_open(void);
bool	queue_is_down(void);

/*
 * Carry out one of "delete hold release expire requeue" on count messages, and
 * make it durable. done[] gets true where it was done, or will be as soon as a
 * delivery under way ends; false where there was nothing to do it to. requeue is
 * back to maildrop, for pickup: rewritten and expanded anew, under a new queue id.
 */
void	queue_operate(const char *operation, char *const *ids, size_t count,
	    bool *done);

#endif
