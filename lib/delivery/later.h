/*
 * later - messages that one of us makes are submitted without waiting (submit.h)
 *
 * cleanup may have to wait for a table. So who serves many asks, and if there
 * is no answer yet, puts its work aside and does it again when it is called
 * back: the same submission then finds its answer. It is known by its
 * envelope's unique, which is its token. Some 64 are under way at a time.
 */

#ifndef DELIVERY_LATER_H
#define DELIVERY_LATER_H

#include <stdbool.h>
#include <stdint.h>

#include "delivery/submit.h"

struct later;

/*
 * Ask, unless that was done or it is not its turn yet. NULL: it has its answer, submission->result until
 * later_done(); or nobody answers, is_answered is false and errno says why.
 * Else who asked waits for it: later_await().
 */
struct later *later_submit(struct delivery_submission *submission);

/* Who is to be called back. */
void	later_await(struct later *later, uint64_t number);

/* The answer was used. */
void	later_done(const struct delivery_submission *submission);

/* Readable when there are answers; -1: no. */
int	later_fd(void);

/* Take them, and call back who waits; false: he is gone. */
typedef bool later_call_back(uint64_t number);
void	later_receive(later_call_back *call_back);

/* After a fork: the connection is the parent's. */
void	later_leave(void);

#endif
