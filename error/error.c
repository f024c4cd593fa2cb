/*
 * error - mail that cannot go anywhere
 *
 * In       requests of qmgr; the nexthop is the reason, "5.1.1 User unknown"
 * Out      a report: bounced, or deferred when it runs as "retry"
 * Touches  nothing
 * Trusts   qmgr
 * Killed   qmgr asks again
 */

#include <string.h>

#include "base/base.h"
#include "service/deliver.h"
#include "smtp/status.h"

static void
report_all(struct delivery_request *request)
{
	bool retry = strcmp(service_name, "retry") == 0;
	const char *text = request->nexthop;
	char dsn[SMTP_STATUS_SIZE];
	size_t length = smtp_status_parse(text, strlen(text), dsn);

	if (length == 0)
		strlcpy(dsn, retry ? "4.0.0" : "5.0.0", sizeof(dsn));
	text += length;
	text += strspn(text, " ");
	for (size_t i = 0; i < request->envelope->recipient_count; i++)
		delivery_report(request, &request->envelope->recipients[i],
		    retry || dsn[0] == '4' ? DELIVERY_DEFERRED :
		    DELIVERY_BOUNCED, dsn, "none", "%s", text);
}

static void
serve(struct service_request *requests, size_t count)
{
	service_deliver(requests, count, report_all);
}

int
main(int argc, char **argv)
{
	static const struct service error = {
		.name	= "error",
		.serve	= serve,
		.chroot	= true,
		.sandbox = SANDBOX_SOCKETS,
	};

	return service_worker(&error, argc, argv);
}
