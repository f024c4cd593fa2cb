/*
 * answer - one question in, one answer out, from an image alone
 *
 * Two steps, so that the server can read a whole batch of questions, and
 * have the processor fetch what they need, before it answers the first.
 */

#ifndef NAMED_LITE_ANSWERER_ANSWER_H
#define NAMED_LITE_ANSWERER_ANSWER_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

struct question {
	const uint8_t *bytes;
	size_t	 length;
	enum dns_verdict verdict;
	struct dns_query query;
	struct zone_path path;
	const struct sockaddr *local;	/* where it came, set by who received it; NULL: of no interest */
	uint32_t key;			/* number of the one that it was signed with; 0: none */
};

/* The key of the server cookies (RFC 7873): the same in all answering processes. */
#define COOKIE_KEY_SIZE	16
extern uint8_t answer_cookie_key[COOKIE_KEY_SIZE];

/* Read a question. Keeps bytes until it is answered. */
void	answer_read(struct question *question, const struct image *image,
	    const uint8_t *bytes, size_t length);

/*
 * Write the answer for a client at this address to out, which takes size
 * octets. Gives its length; 0 if there is nothing to say.
 */
size_t	answer_write(const struct question *question,
	    const struct image *image, const struct sockaddr *client,
	    bool is_tcp, uint8_t *out, size_t size);

#endif
