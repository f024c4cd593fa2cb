/* status - enhanced status codes: "5.1.1" (RFC 3463) */

#ifndef SMTP_STATUS_H
#define SMTP_STATUS_H

#include <stddef.h>

#define SMTP_STATUS_SIZE	sizeof("5.999.999")

/*
 * Read the code that text begins with, a space or the end behind it. Gives
 * its length and the code in status; 0 and "" if there is none.
 */
size_t	smtp_status_parse(const char *text, size_t length,
	    char status[SMTP_STATUS_SIZE]);

/* What the code means, of whatever class: "Bad destination mailbox address" for x.1.1. "Other" if unknown. */
const char *smtp_status_meaning(const char *status);

#endif
