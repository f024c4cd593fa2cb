#include "service/sieve.h"

#include "base/base.h"
#include "table/maps.h"

static struct maps *filter;
static const char *name;

static enum resolve_sifted
look_at(const char *record)
{
	const char *action;

	switch (maps_find(filter, record, &action)) {
	case TABLE_NONE:
		return RESOLVE_KEEP;
	case TABLE_FOUND:
		if (text_equal_nocase(action, "IGNORE"))
			return RESOLVE_DROP;
		log_warning("%s: unknown DNS filter action: \"%s\"", name,
		    action);
		break;
	case TABLE_ERROR:
		break;
	}
	return RESOLVE_WRONG;
}

void
sieve_open(struct resolver *resolver, const char *parameter, const char *list)
{
	name = parameter;
	filter = maps_open(parameter, list);
	if (!maps_are_empty(filter))
		resolve_sift_with(resolver, look_at);
}
