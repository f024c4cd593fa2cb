/*
 * pace - how fast mail goes to one place, and when the turn of more would come
 *
 * The place is a destination or a whole transport. Its pace is set by policy
 * (so many recipients in a time) or is what was seen. All times are
 * microseconds of clock_us(), which the caller gives.
 *
 * What holds (tests/unit/qmgr_pace.c shows each by its number):
 *   1  Under a policy of n in a time no such time has more than n recipients,
 *      and one delivery more.
 *   2  A policy's unused time is not saved up: there are no bursts.
 *   3  A turn is never before one that was promised earlier.
 *   4  A place that finishes nothing is seen as slower every second.
 */

#ifndef QMGR_SCHEDULE_PACE_H
#define QMGR_SCHEDULE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/values.h"

struct pace {
	int64_t	policy_us;	/* for each recipient; 0: as fast as it can */
	int64_t	next_us;	/* policy: nothing goes before */
	int64_t	promised_us;	/* turns of mail that waits elsewhere reach to here */
	double	seen_us;	/* between two recipients that were done, smoothed */
	int64_t	changed_us;	/* one was done, or the first began */
	int64_t	waiting;	/* recipients */
	int64_t	underway;	/* recipients */
};

/* With a policy, or with NULL. */
void	pace_init(struct pace *pace, const struct config_rate *policy);

/* Recipients wait here; they do no longer. */
void	pace_enter(struct pace *pace, int64_t recipients);
void	pace_leave(struct pace *pace, int64_t recipients);

/* Recipients that waited are on their way; they are done. */
void	pace_begin(struct pace *pace, int64_t recipients, int64_t now);
void	pace_end(struct pace *pace, int64_t recipients, int64_t now);

/* How long the policy lets nothing go. */
int64_t	pace_pause(const struct pace *pace, int64_t now);

/* How long one who comes now would wait behind those who are here. */
int64_t	pace_wait(const struct pace *pace, int64_t now);

/* Others wait elsewhere whose turn comes before that of one who comes now. */
bool	pace_is_promised(const struct pace *pace, int64_t now);

/* The turn of so many more, which will wait elsewhere until then. */
int64_t	pace_promise(struct pace *pace, int64_t recipients, int64_t now);

#endif
