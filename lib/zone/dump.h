/* dump - a zone as a master file, in canonical order, one record a line */

#ifndef ZONE_DUMP_H
#define ZONE_DUMP_H

#include <stdio.h>

#include "zone/zone.h"

/* Write all of it. 0, or -1 with errno. */
int	zone_dump(const struct zone *zone, FILE *to);

#endif
