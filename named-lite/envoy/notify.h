/* notify - tell those who keep copies of a zone that it has changed (RFC 1996) */

#ifndef NAMED_LITE_ENVOY_NOTIFY_H
#define NAMED_LITE_ENVOY_NOTIFY_H

#include "named-lite/plan.h"

/* Begin, before the sandbox closes. 0, or -1, logged. */
int	notify_start(void);

/* There is a new plan: tell of each zone whose serial number is not that of the old one. */
void	notify_use_plan(const struct plan *old);

/* Tell of this zone now. */
void	notify_zone(const struct plan_zone *zone);

#endif
