/* fetch - a zone from a primary, over one connection */

#ifndef NAMED_LITE_ENVOY_FETCH_H
#define NAMED_LITE_ENVOY_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "dns/key.h"
#include "named-lite/control.h"
#include "named-lite/plan.h"

struct fetch;

/*
 * What came: why is NULL if it went well; then parcel, which is the callee's,
 * is -1 if the primary has nothing newer. can_fall_back: it did not like the
 * form of the question; ask for the whole zone. The fetch is gone then.
 */
struct fetch_result {
	const char *why;
	bool	 can_fall_back;
	int	 parcel;
	uint32_t serial;	/* that the parcel leads to */
};

typedef void fetch_done(void *argument, const struct fetch_result *result);

/* Ask for all of a zone, or for what has changed. The row, like all arguments, is borrowed. NULL: it could not begin. */
struct fetch *fetch_start(const struct plan_zone *zone, bool whole,
	    const struct plan_remote *from, const struct dns_key *key,
	    fetch_done *done, void *argument);

void	fetch_cancel(struct fetch **fetch);

#endif
