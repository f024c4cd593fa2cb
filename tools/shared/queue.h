/*
 * queue - the administrator's hand on one message
 *
 * While the system runs, qmgr(8) does it, since it alone changes the state of
 * a message. When it is down the files and the journal are changed directly,
 * in the order that lib/spool promises: never in neither place.
 */

#ifndef TOOLS_SHARED_QUEUE_H
#define TOOLS_SHARED_QUEUE_H

#include <stdbool.h>

/* Find out whether the system runs; the working directory is the queue directory. */
void	queue_open(void);
bool	queue_is_down(void);

/* Each is true if it was done, or will be as soon as a delivery under way ends; false if there is nothing to do it to. */
bool	queue_delete(const char *id);
bool	queue_hold(const char *id);
bool	queue_release(const char *id);

/* Only while the system runs. */
bool	queue_expire(const char *id);

/* Back to maildrop, for pickup: rewritten and expanded anew, under a new queue id. */
bool	queue_requeue(const char *id);

#endif
