/*
 * rate - how often the same answer goes to the same network (rate-limit)
 *
 * By UDP anybody can ask in anybody's name, so that a stream of equal
 * answers is more likely an attack on whoever gets them than a wish of his.
 * Each network has an account for each kind of answer: a second adds what is
 * permitted, an answer takes one, and a debt is remembered for a while. All
 * answering processes share the accounts, since a flood from one address
 * comes to all of them; an account is one word, so that a process that dies
 * leaves none half written. When there is no room the oldest is forgotten.
 */

#ifndef NAMED_LITE_ANSWERER_RATE_H
#define NAMED_LITE_ANSWERER_RATE_H

#include <sys/socket.h>

#include <stdint.h>

#include "image/image.h"

enum rate_kind {
	RATE_RESPONSES,
	RATE_REFERRALS,
	RATE_NODATA,
	RATE_NXDOMAINS,
	RATE_ERRORS,
	RATE_ALL,
	RATE_KINDS
};

enum rate_verdict {
	RATE_SEND,
	RATE_SLIP,	/* say only that the answer is to be fetched by TCP */
	RATE_DROP,
};

/* What an answer is, so that equal ones are known. */
struct rate_answer {
	enum rate_kind kind;
	uint16_t type;		/* asked for */
	place	 subject;	/* node whose records it has, or which tells that there are none */
};

/* Make the accounts, for this process and its children. Without them there are no limits. */
void	rate_init(void);

/* May this answer go to this client? now counts seconds. */
enum rate_verdict rate_check(const struct image *image,
	    const struct rate_answer *answer, const struct sockaddr *client,
	    int64_t now);

#endif
