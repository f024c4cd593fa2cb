/* submit - a message that one of us makes, a notice or a forwarded one, goes to cleanup */

#ifndef DELIVERY_SUBMIT_H
#define DELIVERY_SUBMIT_H

#include "ipc/ipc.h"
#include "message/envelope.h"

/*
 * Hand it over and wait until it is durable, or refused. envelope->unique is
 * its token: if cleanup dies before it answers, its successor is asked once
 * more, and knows it by that. 0 with *result, which borrows reply; -1 with
 * errno: nobody answered. The caller clears reply.
 */
int	delivery_submit(struct envelope *envelope, const struct text *content,
	    struct ipc_packet *reply, struct ipc_submit_result *result);

/* After a fork: the connection is the parent's, and this process makes its own. */
void	delivery_submit_forget(void);

#endif
