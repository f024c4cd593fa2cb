/*
 * handover - how a user's message leaves his hands
 *
 * For sendmail(1), in all its forms, as the user who calls. While the system
 * runs, pickup(8) takes a small message by its socket and answers when it is
 * durable. Else postdrop(1) leaves it in maildrop. If pickup had it and gave
 * no answer, postdrop's file has the same token, by which the message is
 * known: it arrives once.
 */

#ifndef HANDOVER_HANDOVER_H
#define HANDOVER_HANDOVER_H

#include "base/text.h"
#include "message/envelope.h"

#define HANDOVER_ID_SIZE	32

/*
 * Hand it over; content has LF line ends. Sets the envelope's size and token.
 * The exit code: 0 when the message is durable, and id its queue id, or
 * "maildrop"; else postdrop has said why.
 */
int	handover(struct envelope *envelope, const struct text *content,
	    char id[HANDOVER_ID_SIZE]);

#endif
