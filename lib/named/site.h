/* site - named.conf with all its primary zones, for tools that explain and check them together */

#ifndef NAMED_SITE_H
#define NAMED_SITE_H

#include "named/settings.h"

struct site_zone {
	const struct zone_settings *settings;
	struct zone *zone;	/* NULL: not a primary, or it did not load */
	char	*trouble;	/* why it did not */
	struct zone_rules rules;
	struct origins origins;
};

struct site {
	struct settings settings;
	struct site_zone *zones;	/* settings.zone_count of them */
};

/*
 * Read named.conf, enter its directory, load what is of type primary. What
 * is wrong goes to the log. 0, or -1: named.conf has errors. Released with
 * site_clear(), whatever came out. Tells of each zone when it was loaded, or
 * nobody (NULL).
 */
int	site_load(struct site *site, const char *config,
	    void (*told)(const struct site_zone *zone));
void	site_clear(struct site *site);

/* The zone that a name belongs to; NULL if it is none of ours. */
const struct site_zone *site_find(const struct site *site,
	    const uint8_t *name);

/* The record of a type at a name, in whatever zone of ours; NULL. */
const struct zone_rrset *site_find_rrset(const struct site *site,
	    const uint8_t *name, uint16_t type);

#endif
