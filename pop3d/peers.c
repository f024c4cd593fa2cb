/* peers - how many connections each address has, so that none takes all */

#include "pop3d/pop3d.h"

#include "base/base.h"
#include "config/config.h"

static struct map *counts;	/* small numbers in place of pointers */

bool
peer_add(const char *address)
{
	if (counts == NULL)
		counts = map_new();

	intptr_t count = (intptr_t)map_get(counts, address) + 1;

	if (config.pop3d_client_connection_count_limit > 0
	    && count > config.pop3d_client_connection_count_limit)
		return false;
	map_set(counts, address, (void *)count);
	return true;
}

void
peer_remove(const char *address)
{
	intptr_t count = (intptr_t)map_get(counts, address) - 1;

	if (count > 0)
		map_set(counts, address, (void *)count);
	else
		map_remove(counts, address);
}
