/*
 * respond - requests that an image alone cannot answer: signed ones, notifies, transfers
 *
 * All others go past this, to answer_write().
 */

#ifndef NAMED_LITE_ANSWERER_RESPOND_H
#define NAMED_LITE_ANSWERER_RESPOND_H

#include "named-lite/answerer/answer.h"
#include "named-lite/answerer/internal.h"

struct transfer;

/* Is it one of those? */
static inline bool
respond_concerns(const struct question *question)
{
	return question->query.tsig_at != 0 ||
	    question->query.opcode == DNS_OPCODE_NOTIFY ||
	    question->query.type == DNS_TYPE_AXFR ||
	    question->query.type == DNS_TYPE_IXFR;
}

/*
 * As answer_write(). By TCP (transfer is not NULL) the answer may be many
 * messages: then *transfer is given, which writes them, and the length is 0.
 */
size_t	respond_write(struct server *server, struct question *question,
	    const struct sockaddr *client, struct transfer **transfer,
	    uint8_t *out, size_t size);

#endif
