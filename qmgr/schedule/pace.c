#include "qmgr/schedule/pace.h"

/* How many of the last recipients the pace that was seen is made from. */
#define SMOOTHING	32

void
pace_init(struct pace *pace, const struct config_rate *policy)
{
	*pace = (struct pace){ 0 };
	if (policy != NULL)
		pace->policy_us = (int64_t)policy->seconds * 1000000 /
		    policy->count;
}

void
pace_enter(struct pace *pace, int64_t recipients)
{
	pace->waiting += recipients;
}

void
pace_leave(struct pace *pace, int64_t recipients)
{
	pace->waiting -= recipients;
}

void
pace_begin(struct pace *pace, int64_t recipients, int64_t now)
{
	pace->waiting -= recipients;
	if (pace->underway == 0)
		pace->changed_us = now;
	pace->underway += recipients;
	if (pace->policy_us > 0) {
		if (pace->next_us < now)
			pace->next_us = now;
		pace->next_us += recipients * pace->policy_us;
	}
}

void
pace_end(struct pace *pace, int64_t recipients, int64_t now)
{
	pace->underway -= recipients;
	if (recipients == 0)
		return;

	double each = (double)(now - pace->changed_us) / (double)recipients;

	for (int64_t i = 0; i < recipients && i < SMOOTHING; i++)
		pace->seen_us += (each - pace->seen_us) / SMOOTHING;
	pace->changed_us = now;
}

int64_t
pace_pause(const struct pace *pace, int64_t now)
{
	return pace->next_us > now ? pace->next_us - now : 0;
}

/* The time for one recipient: if none of those under way was done since, it is at least their share. */
static int64_t
each_us(const struct pace *pace, int64_t now)
{
	int64_t each = (int64_t)pace->seen_us;

	if (pace->underway > 0 &&
	    (now - pace->changed_us) / pace->underway > each)
		each = (now - pace->changed_us) / pace->underway;
	return each > pace->policy_us ? each : pace->policy_us;
}

int64_t
pace_wait(const struct pace *pace, int64_t now)
{
	return pace_pause(pace, now) + pace->waiting * each_us(pace, now);
}

bool
pace_is_promised(const struct pace *pace, int64_t now)
{
	return pace->waiting > 0 &&
	    pace->promised_us > now + pace_wait(pace, now);
}

int64_t
pace_promise(struct pace *pace, int64_t recipients, int64_t now)
{
	int64_t turn = now + pace_wait(pace, now);

	if (turn < pace->promised_us)
		turn = pace->promised_us;
	pace->promised_us = turn + recipients * each_us(pace, now);
	return turn;
}
