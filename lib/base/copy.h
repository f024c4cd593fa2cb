/*
 * copy - memcpy() for names and records, a few octets each and millions of them
 *
 * What compilers put in place of memcpy() when they know that it is never
 * much ("rep movs") takes longer to begin than this for all of it.
 */

#ifndef BASE_COPY_H
#define BASE_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void
copy_few(void *to, const void *from, size_t length)
{
	uint8_t *target = to;
	const uint8_t *source = from;

	if (length < 8) {
		for (size_t at = 0; at < length; at++)
			target[at] = source[at];
		return;
	}
	for (size_t at = 0; at < length - 8; at += 8)
		memcpy(target + at, source + at, 8);
	memcpy(target + length - 8, source + length - 8, 8);
}

#endif
