/* filter - other words, or another verdict, for what an agent reports: *_delivery_status_filter */

#include "delivery/filter.h"

#include <string.h>

#include "base/base.h"
#include "smtp/status.h"
#include "table/maps.h"

static struct maps *filter;
static const char *name;

/* "5.1.1 text" for what failed, "2.x.y text" for what did not. */
static bool
is_fit(const struct delivery_result *result, const char *value, size_t status)
{
	return status > 0 && value[status + strspn(value + status, " \t")] != '\0' &&
	    (value[0] == '2') == (result->status == DELIVERY_SENT);
}

void
delivery_filter_open(const char *parameter, const char *list)
{
	name = parameter;
	filter = maps_open(parameter, list);
}

void
delivery_filter(struct delivery_result *result)
{
	static struct text text;
	static char status[SMTP_STATUS_SIZE];
	const char *value;
	size_t length;

	if (filter == NULL || maps_are_empty(filter))
		return;
	text_truncate(&text, 0);
	text_printf(&text, "%s %s", result->dsn, result->text);
	if (maps_find(filter, text_string(&text), &value) != TABLE_FOUND)
		return;
	length = smtp_status_parse(value, strlen(value), status);
	if (!is_fit(result, value, length)) {
		log_warning("%s: \"%s\" cannot stand for \"%s\": expected a "
		    "status of the same kind, and a text", name, value,
		    text_string(&text));
		return;
	}
	text_truncate(&text, 0);
	text_puts(&text, value + length + strspn(value + length, " \t"));
	result->text = text_string(&text);
	result->dsn = status;
	if (result->status != DELIVERY_SENT)
		result->status = status[0] == '4' ? DELIVERY_DEFERRED
		    : DELIVERY_BOUNCED;
}
