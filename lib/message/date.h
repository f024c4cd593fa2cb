/* date - RFC 5322 dates and Message-Ids */

#ifndef MESSAGE_DATE_H
#define MESSAGE_DATE_H

#include <stddef.h>
#include <time.h>

#define MESSAGE_DATE_SIZE	128
#define MESSAGE_ID_SIZE		512

/*
 * "Fri, 20 Nov 2026 10:37:54 +0000 (UTC)", in local time, the day with two
 * digits. Call tzset(3) before a sandbox closes. Gives date.
 */
char	*message_date(char date[MESSAGE_DATE_SIZE], time_t when);

/* "<20261120103754.QUEUEID@host>", in UTC; the queue id makes it unique. Gives id. */
char	*message_id(char id[MESSAGE_ID_SIZE], time_t when,
	    const char *queue_id, const char *host);

#endif
