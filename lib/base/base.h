/*
 * base - the ground floor: memory, strings, containers, time, log
 *
 * memory.h   allocation that succeeds or ends the process cleanly
 * pool.h     memory of one lifetime, with a limit
 * text.h     a string that grows, and small words on strings
 * map.h      a table from string to pointer
 * fd.h       descriptors
 * clock.h    what time it is, and how long something took
 * log.h      what the administrator reads
 * crc.h      a checksum against torn and rotten blocks
 *
 * Nothing here knows of mail. A daemon that runs out of memory says so and
 * exits with EX_TEMPFAIL: what it was doing is on disk or not yet accepted,
 * and master starts it again. Where a peer could drive us there, a pool
 * with a limit stands in front.
 */

#ifndef BASE_BASE_H
#define BASE_BASE_H

#include "base/clock.h"
#include "base/crc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/text.h"

#define COUNT_OF(array)	(sizeof(array) / sizeof((array)[0]))

#endif
