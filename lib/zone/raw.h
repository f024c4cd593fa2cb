/*
 * raw - zones in BIND's binary form, which named-compilezone writes and
 * BIND's secondaries keep
 *
 * A head (form, version, when, which serial it was made of), then RRsets:
 * class, type, TTL, owner, data, as in a message without compression.
 */

#ifndef ZONE_RAW_H
#define ZONE_RAW_H

#include <stdio.h>

#include "zone/zone.h"

/* Does the file begin as such a one does? */
bool	raw_is_file(const char *path);

/* The same of bytes. */
bool	raw_is(const char *bytes, size_t length);

/* Put what is in a file into the zone. 0, or -1 with *why. */
int	raw_load(struct zone *zone, const char *path, const char **why);

/* The same from memory. */
int	raw_parse(struct zone *zone, const uint8_t *bytes, size_t length,
	    const char **why);

/* Write a zone; serial is that of the zone that it was made of, by a signer. 0, or -1 with errno. */
int	raw_dump(const struct zone *zone, uint32_t serial, FILE *to);

#endif
