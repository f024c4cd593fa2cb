#include "named/site.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
site_load(struct site *site, const char *config,
    void (*told)(const struct site_zone *zone))
{
	static const uint64_t seed[2] = { 1, 3 };
	struct settings *settings = &site->settings;

	memset(site, 0, sizeof(*site));
	if (settings_read(settings, config, 0) == -1)
		return -1;
	if (settings->directory != NULL && chdir(settings->directory) == -1) {
		log_error("change directory to '%s' failed: %m",
		    settings->directory);
		return -1;
	}
	site->zones = mem_zalloc(settings->zone_count + 1,
	    sizeof(*site->zones));
	for (size_t i = 0; i < settings->zone_count; i++) {
		struct site_zone *to = &site->zones[i];

		to->settings = &settings->zones[i];
		to->rules = to->settings->options.rules;
		to->rules.origins = &to->origins;
		if (to->settings->type != ZONE_PRIMARY)
			continue;
		to->zone = zone_load(&to->settings->apex, to->settings->file,
		    &to->rules, seed);
		if (to->zone == NULL)
			to->trouble = mem_strdup(zone_trouble);
		if (told != NULL)
			told(to);
	}
	return 0;
}

void
site_clear(struct site *site)
{
	for (size_t i = 0; site->zones != NULL &&
	    i < site->settings.zone_count; i++) {
		zone_free(&site->zones[i].zone);
		free(site->zones[i].trouble);
		origins_clear(&site->zones[i].origins);
	}
	free(site->zones);
	settings_clear(&site->settings);
	memset(site, 0, sizeof(*site));
}

const struct site_zone *
site_find(const struct site *site, const uint8_t *name)
{
	for (;; name += *name + 1) {
		for (size_t i = 0; i < site->settings.zone_count; i++)
			if (dns_name_equal(name,
			    site->zones[i].settings->apex.bytes))
				return &site->zones[i];
		if (*name == 0)
			return NULL;
	}
}

const struct zone_rrset *
site_find_rrset(const struct site *site, const uint8_t *name, uint16_t type)
{
	const struct site_zone *in = site_find(site, name);
	const struct zone_owner *owner = in != NULL && in->zone != NULL ?
	    zone_find(in->zone, name) : NULL;

	return owner != NULL ? zone_find_rrset(owner, type) : NULL;
}
