/*
 * times - when not to believe the clock
 *
 * A clock that jumps ahead by years makes all mail look older than its life.
 * For a while after such a jump nothing expires, so that the administrator,
 * whom the log tells of it, can set it right.
 */

#include "qmgr/qmgr.h"

#define SECOND_US	1000000LL

/* A step further than this was not made by a clock that is kept. */
#define JUMP_SECONDS	3600

/* So long nothing expires. */
#define GRACE_MS	(3600 * 1000)

bool
times_may_expire(void)
{
	static int64_t last_us, grace_until_ms;
	int64_t now_ms = clock_ms();
	int64_t offset_us = clock_wall_us() - now_ms * 1000;
	int64_t step = last_us == 0 ? 0 : (offset_us - last_us) / SECOND_US;

	last_us = offset_us;
	if (step > JUMP_SECONDS) {
		log_warning("the clock jumped ahead by %lld seconds; for an hour "
		    "no mail expires: see that it is right", (long long)step);
		grace_until_ms = now_ms + GRACE_MS;
	}
	return now_ms >= grace_until_ms;
}
