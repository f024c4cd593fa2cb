/* submit - messages that one of us makes, notices or forwarded ones, go to cleanup */

#ifndef DELIVERY_SUBMIT_H
#define DELIVERY_SUBMIT_H

#include <stdbool.h>

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

struct delivery_submission {
	struct envelope		*envelope;	/* its unique is the token */
	const struct text	*content;
	bool			 again;		/* it may have been submitted before: cleanup asks qmgr for it first */

	bool			 is_answered;
	struct ipc_submit_result result;	/* borrows reply, which the caller clears */
	struct ipc_packet	 reply;		/* all zeros and fd -1 before */
};

/*
 * The same for many: all are sent before the first answer is waited for, so
 * that cleanup makes them durable together. Some 64 at a time, which fit the
 * socket. Who has no answer in the end was perhaps not taken.
 */
void	delivery_submit_all(struct delivery_submission *submissions,
	    size_t count);

/* For who does not wait: send it over fd, with a number that the submit_result will bear. 0, or -1 with errno. */
int	delivery_submit_send(int fd,
	    const struct delivery_submission *submission, uint64_t number);

/* After a fork: the connection is the parent's, and this process makes its own. */
void	delivery_submit_forget(void);

#endif
