/* planning - a plan (plan.h) in the making: of named.conf, or of the plan before */

#ifndef NAMED_LITE_LOADER_PLANNING_H
#define NAMED_LITE_LOADER_PLANNING_H

#include "base/text.h"
#include "named-lite/plan.h"

struct planning {
	struct text bytes;	/* the header, rows, texts */
};

/* Begin with what settings say. config is the path of named.conf, which rndc.key may lie beside. */
void	planning_begin(struct planning *planning,
	    const struct settings *settings, const char *config);

/* Begin with a plan as it is. */
void	planning_copy(struct planning *planning, const struct plan *plan);

struct plan_header *planning_header(struct planning *planning);

/* The row of a zone. Valid until a text is added. */
struct plan_zone *planning_zone(struct planning *planning, size_t number);

plan_text planning_text(struct planning *planning, const char *text);

/* The same for length octets, unless they stand at `old` already. */
plan_text planning_bytes(struct planning *planning, plan_text old,
	    const char *bytes, size_t length);

/* A text of it, NULL for none; valid as long. */
const char *planning_string(struct planning *planning, plan_text text);

/* Seal. A descriptor, or -1 with errno. */
int	planning_finish(struct planning *planning);

#endif
