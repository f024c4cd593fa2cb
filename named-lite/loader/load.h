/* load - what the files of the loader share; nobody else includes it */

#ifndef NAMED_LITE_LOADER_LOAD_H
#define NAMED_LITE_LOADER_LOAD_H

#include "image/build.h"
#include "named-lite/loader/history.h"
#include "named-lite/loader/loader.h"
#include "named-lite/loader/planning.h"
#include "named/settings.h"

/* A load on its way. */
struct load {
	const struct options *options;
	const struct loader_task *task;
	struct settings settings;	/* unless it is about changes alone */
	bool	 has_logging;		/* lines go where named.conf says */
	struct planning planning;
	struct image served;		/* nothing, at first */
	struct plan plan;		/* of what is served */
	struct history history;
	struct build build;
	struct build_zone *zones;
	struct zone_rules *rules;	/* which do not move, as rows of the plan do */
};

extern struct load load;

/* sources.c: a zone by its number in the plan, from its files, or as it is served; what became of it goes into the plan. */
struct zone *source_of_everything(size_t number);
struct zone *source_file(size_t number);
struct zone *source_served(size_t number);

/* Is the zone served as its files are now, and by the same rules? */
bool	source_is_up_to_date(size_t number);

/* What became of a load goes into the zone's row. */
void	note_success(size_t number, const struct zone *zone, bool is_new);
void	note_trouble(size_t number, const char *why);

/* changes.c: what the envoy told of. True: some zone is another now. */
bool	changes_apply(void);

/* An image with them. A descriptor, or -1 with errno. */
int	changes_build(void);

#endif
