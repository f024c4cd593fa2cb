/*
 * screen - what is remembered of clients that smtpd(8) has tested
 *
 * A row is what Postfix's postscreen_cache has, so that it is taken over:
 * "1700000000;1700000000;1;0;0", for each test until when it counts as
 * passed, in seconds since 1970.
 */

#ifndef SCREEN_SCREEN_H
#define SCREEN_SCREEN_H

#include <stdint.h>

/* In the order of a row. */
enum screen_test { SCREEN_PREGREET, SCREEN_DNSBL, SCREEN_PIPELINING,
    SCREEN_NON_SMTP, SCREEN_BARE_NEWLINE, SCREEN_TEST_COUNT };

/* Times that are none: never passed, and never asked for. */
#define SCREEN_NEW	0
#define SCREEN_DISABLED	1

struct screen_passes {
	int64_t	until[SCREEN_TEST_COUNT];
};

/* The service that keeps them: postscreen(8), in private/. */
#define SCREEN_SERVICE	"postscreen"

#define SCREEN_ROW_SIZE	(SCREEN_TEST_COUNT * 21)

/* 0, or -1: that is no row, and passes are as of somebody new. Tests that an old row does not name are new. */
int	screen_passes_parse(const char *row, struct screen_passes *passes);

void	screen_passes_print(const struct screen_passes *passes,
	    char row[SCREEN_ROW_SIZE]);

/* What was passed here or there. */
void	screen_passes_join(struct screen_passes *passes,
	    const struct screen_passes *others);

/* When the last of them ends. */
int64_t	screen_passes_end(const struct screen_passes *passes);

#endif
