/* id - queue ids: the time, and who gives it */

#include "spool/spool.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "config/config.h"

/* Postfix's alphabets of long ids: no vowels, so that no words come out. */
static const char alphabet[] =
    "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";

static void
put_base(struct text *text, uint64_t value, unsigned base, int digits)
{
	char reversed[16];
	int n = 0;

	do {
		reversed[n++] = alphabet[value % base];
		value /= base;
	} while (value > 0 || n < digits);
	while (n > 0)
		text_putc(text, reversed[--n]);
}

/* Seconds in base 52, microseconds in four digits, z, the owner in base 51. */
static void
make_long_id(char id[SPOOL_ID_SIZE], uint64_t now, int owner)
{
	struct text text = TEXT_EMPTY;

	put_base(&text, now / 1000000, 52, 6);
	put_base(&text, now % 1000000, 52, 4);
	text_putc(&text, 'z');
	put_base(&text, (uint64_t)owner, 51, 1);
	strlcpy(id, text_string(&text), SPOOL_ID_SIZE);
	text_clear(&text);
}

/*
 * One owner (a segment of the journal has one process at a time) never gives
 * two ids for the same microsecond. Short ids have 24 bits of seconds: they
 * come again after half a year.
 */
void
spool_make_id(char id[SPOOL_ID_SIZE], int owner)
{
	static uint64_t last;
	uint64_t now = (uint64_t)clock_wall_us();

	/* Set back by an hour or more, the clock is followed: repeating a microsecond then takes a matching hour. */
	if (now <= last && last - now < 3600000000ULL)
		now = last + 1;
	last = now;
	if (config.enable_long_queue_ids)
		make_long_id(id, now, owner);
	else
		snprintf(id, SPOOL_ID_SIZE, "%05X%06X%02X",
		    (unsigned)(now % 1000000),
		    (unsigned)(now / 1000000 & 0xffffff),
		    (unsigned)owner & 0xff);
}

bool
spool_id_is_valid(const char *text)
{
	size_t length = strlen(text);

	if (length < 6 || length >= SPOOL_ID_SIZE)
		return false;
	for (const char *p = text; *p != '\0'; p++) {
		if (!isalnum((unsigned char)*p))
			return false;
	}
	return true;
}
