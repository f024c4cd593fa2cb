#include "message/date.h"

#include <stdio.h>
#include <stdlib.h>

/* Names of our own: those of strftime(3) change with the locale. */
static const char *const days[] = {
	"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat",
};
static const char *const months[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};

char *
message_date(char date[MESSAGE_DATE_SIZE], time_t when)
{
	struct tm tm;

	localtime_r(&when, &tm);

	long minutes = labs(tm.tm_gmtoff) / 60;

	snprintf(date, MESSAGE_DATE_SIZE,
	    "%s, %02d %s %d %02d:%02d:%02d %c%02ld%02ld (%.20s)",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    tm.tm_gmtoff < 0 ? '-' : '+', minutes / 60, minutes % 60,
	    tm.tm_zone);
	return date;
}

char *
message_id(char id[MESSAGE_ID_SIZE], time_t when, const char *queue_id,
    const char *host)
{
	struct tm tm;

	gmtime_r(&when, &tm);
	snprintf(id, MESSAGE_ID_SIZE,
	    "<%04d%02d%02d%02d%02d%02d.%.60s@%.255s>", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    queue_id, host);
	return id;
}
