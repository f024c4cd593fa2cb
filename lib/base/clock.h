/* clock - what time it is, and how long something took */

#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds that only go forward, from an arbitrary start: for time limits and intervals. */
int64_t	clock_ms(void);

/* Microseconds of the same clock. */
int64_t	clock_us(void);

/* Wall-clock time in microseconds since 1970, for time stamps. The clock may jump. */
int64_t	clock_wall_us(void);

#endif
