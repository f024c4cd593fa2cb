/*
 * window - how many deliveries a destination may have under way
 *
 * It begins at initial, grows with deliveries and shrinks when the host
 * cannot be reached. No clock, no queue: arithmetic alone.
 *
 * What holds (tests/unit/qmgr_window.c shows each by its number):
 *   1  The size is never below 1 and never above the limit.
 *   2  It grows only when it is used: never further than initial above what is
 *      under way.
 *   3  A failure takes effect at once, a success when its share of one is complete.
 *   4  The destination is dead after as many windows full of failures as
 *      failed_cohorts says, with no success between; with 0 it never is.
 */

#ifndef QMGR_SCHEDULE_WINDOW_H
#define QMGR_SCHEDULE_WINDOW_H

#include <stdbool.h>

#include "config/values.h"

struct window_rules {
	int	initial;
	int	limit;			/* INT_MAX: none */
	int	failed_cohorts;
	struct config_feedback positive, negative;
};

struct window {
	int	size;
	double	gained, left;		/* parts of one: on the way up; until it goes down */
	double	failed_cohorts;		/* windows full of failures since the last success */
};

/* As a destination begins, and begins again after it was dead. */
void	window_init(struct window *window, const struct window_rules *rules);

/* A delivery reached the host; underway are left. */
void	window_succeeded(struct window *window, const struct window_rules *rules,
	    int underway);

/* One did not. Gives true if the destination is dead now. */
bool	window_failed(struct window *window, const struct window_rules *rules);

#endif
