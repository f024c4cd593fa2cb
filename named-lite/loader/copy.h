/* copy - the file that a secondary keeps of a zone */

#ifndef NAMED_LITE_LOADER_COPY_H
#define NAMED_LITE_LOADER_COPY_H

#include <stdint.h>

#include "zone/zone.h"

/*
 * Write the zone as a master file: whole and durable under its name, or not
 * at all. 0, or -1 with errno.
 */
int	copy_write(const struct zone *zone, const char *file);

/* Its time says when a primary last confirmed it: now. */
void	copy_confirm(const char *file);

/* That time, in seconds since 1970; -1 if there is no such file. */
int64_t	copy_confirmed_at(const char *file);

#endif
