/* named_conf - any text as named.conf, read and applied; what stands behind a NUL is what it includes */

#include <stdint.h>
#include <string.h>

#include "base/base.h"
#include "named/settings.h"
#include "tests/fuzz/sources.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
say_nothing(enum log_level level, const char *line)
{
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct settings settings;
	struct conf conf;

	log_open_function(say_nothing);
	sources_set(bytes, length);
	if (conf_read(&conf, SOURCES_FIRST) == -1) {
		conf_clear(&conf);
		return 0;
	}
	settings_apply(&settings, &conf, 53);
	for (size_t i = 0; i < settings.zone_count; i++) {
		struct sockaddr_in client = { .sin_family = AF_INET };

		acls_allow(&settings.acls, settings.zones[i].options.allow_query,
		    (const struct sockaddr *)&client);
	}
	settings_clear(&settings);
	return 0;
}
