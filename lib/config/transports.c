/* Parameters that every transport may have of its own: smtp_destination_..., relay_destination_... */

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "config/internal.h"

/* The name here is the suffix; the default stands with the one who asks. */
static const struct parameter suffixes[] = {
	{ "_destination_concurrency_limit", PARAMETER_INT, "", 0, INT_MAX,
	    "qmgr", "The most deliveries at once to one destination.", 0 },
	{ "_destination_recipient_limit", PARAMETER_INT, "", 0, INT_MAX,
	    "qmgr", "The most recipients in one delivery.", 0 },
	{ "_initial_destination_concurrency", PARAMETER_INT, "", 1, INT_MAX,
	    "qmgr", "How many deliveries at once a destination begins with.", 0 },
};

const struct parameter *
config_transport_suffix(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(suffixes); i++)
		if (strlen(name) > strlen(suffixes[i].name) &&
		    text_ends_with(name, suffixes[i].name))
			return &suffixes[i];
	return NULL;
}

int
config_transport_int(const char *transport, const char *suffix, int fallback)
{
	char *name = mem_printf("%s%s", transport, suffix);
	const char *value = config_get(name);
	int number = fallback;

	if (value != NULL)
		number = (int)strtonum(value, 0, INT_MAX, NULL);
	free(name);
	return number;
}
