/* secondary - when to ask a primary, whom, and what to do with the answer (RFC 1034 section 4.3.5) */

#ifndef NAMED_LITE_ENVOY_SECONDARY_H
#define NAMED_LITE_ENVOY_SECONDARY_H

#include <stdbool.h>
#include <stdint.h>

#include "named-lite/control.h"
#include "named-lite/plan.h"

/* There is a new plan: its rows count from now on. */
void	secondary_use_plan(void);

/* A primary says that a zone has changed. */
void	secondary_notified(const struct control_notice *notice);

/* Ask its primaries now; or fetch all of it, whatever they say. */
void	secondary_refresh(const struct plan_zone *zone, bool whole);

/* When it is asked for next, and when it expires, in seconds since 1970. False: it is not known yet. */
bool	secondary_times(const struct plan_zone *zone, int64_t *refresh_at,
	    int64_t *expires_at);

enum secondary_activity { SECONDARY_ASKING, SECONDARY_FETCHING,
    SECONDARY_WAITING };

/* How many zones are at that. */
unsigned secondary_count(enum secondary_activity activity);

#endif
