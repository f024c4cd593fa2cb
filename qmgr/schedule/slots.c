#include "qmgr/schedule/slots.h"

bool
slots_is_large(const struct slots *slots, size_t deliveries)
{
	return slots->cost > 0 &&
	    deliveries / (size_t)slots->cost >= (size_t)slots->minimum &&
	    deliveries > 1;
}

bool
slots_may_overtake(const struct slots *slots)
{
	int64_t credit = slots->earned + (int64_t)slots->loan * slots->cost;

	return credit * 100 >= (int64_t)slots->cost * (100 - slots->discount);
}

void
slots_take(struct slots *slots)
{
	slots->earned -= slots->cost;
}

void
slots_earn(struct slots *slots)
{
	slots->earned++;
}

void
slots_reset(struct slots *slots)
{
	slots->earned = 0;
}
