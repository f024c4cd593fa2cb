/* check_zones - named.conf and the zones, where this system serves the domain name system, too */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/master_cf.h"
#include "named/lint.h"
#include "tools/shared/check_parts.h"

static bool
serves_names(const struct master_cf *services)
{
	for (size_t i = 0; i < services->count; i++)
		if (strcmp(services->entries[i].program, "named-lite") == 0)
			return true;
	return false;
}

int
check_zones(const struct master_cf *services)
{
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), errors = 0;
	struct site site;

	if (!serves_names(services) || here == -1) {
		fd_close(&here);
		return 0;
	}
	if (site_load(&site, config.named_config_file, NULL) == -1)
		errors++;
	else {
		for (size_t i = 0; i < site.settings.zone_count; i++)
			if (site.zones[i].zone == NULL &&
			    site.zones[i].settings->type == ZONE_PRIMARY)
				errors++;
		(void)lint(&site);
	}
	site_clear(&site);
	if (fchdir(here) == -1)
		log_warning("cannot go back to the directory of before: %m");
	fd_close(&here);
	return errors;
}
