/*
 * transfer - a zone on its way out, message by message (RFC 5936, RFC 1995)
 *
 * It is written as its client takes it, from the image that was served when
 * it began. Answers to IXFR come from the history, if that knows the
 * client's version; else all of the zone is sent.
 */

#ifndef NAMED_LITE_ANSWERER_TRANSFER_H
#define NAMED_LITE_ANSWERER_TRANSFER_H

#include "dns/tsig.h"
#include "named-lite/answerer/answer.h"
#include "named-lite/answerer/internal.h"

struct transfer;

enum transfer_verdict {
	TRANSFER_STARTED,
	TRANSFER_NOT_OURS,	/* answer_write() knows what to say */
	TRANSFER_BUSY,		/* SERVFAIL */
};

/*
 * Begin, if this client, who signed with that key (its number; 0 none), may
 * have the zone. tsig, NULL for none, is taken over by value. *transfer is
 * released with transfer_end().
 */
enum transfer_verdict transfer_start(struct transfer **transfer,
	    struct server *server, const struct question *question,
	    const struct sockaddr *client, uint32_t key,
	    const struct dns_tsig *tsig);

/* Write the next message, of up to DNS_MESSAGE_MAX octets. Its length; 0: that was all, or (*failed) it cannot go on. */
size_t	transfer_next(struct transfer *transfer, uint8_t *out, bool *failed);

void	transfer_end(struct transfer **transfer);

#endif
