/*
 * slots - when a message with few recipients overtakes those with many
 *
 * While both have deliveries that could go, every `cost` deliveries of large
 * messages earn a slot, and a delivery of a small one takes one. So a small
 * one goes soon, and the large ones lose at most one turn in cost.
 *
 * What holds (tests/unit/qmgr_slots.c shows each by its number):
 *   1  Before anything was earned, loan slots are given at once.
 *   2  A slot is given when it is earned but for discount percent.
 *   3  In the long run at most one slot is given for each cost deliveries, and
 *      what was earned and not used is kept as long as large messages last.
 *   4  A message is large when its deliveries are good for minimum slots;
 *      with a cost of 0 none is.
 */

#ifndef QMGR_SCHEDULE_SLOTS_H
#define QMGR_SCHEDULE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slots {
	int	cost;		/* deliveries for one slot */
	int	loan;		/* slots */
	int	discount;	/* percent */
	int	minimum;	/* slots */
	int64_t	earned;		/* in deliveries, less those that were taken */
};

bool	slots_is_large(const struct slots *slots, size_t deliveries);

/* A small message's delivery may go before a large one's. */
bool	slots_may_overtake(const struct slots *slots);

/* It did, although one of a large message could have gone. */
void	slots_take(struct slots *slots);

/* A delivery of a large message went. */
void	slots_earn(struct slots *slots);

/* No large message is left. */
void	slots_reset(struct slots *slots);

#endif
