/*
 * discard - mail that is thrown away on purpose
 *
 * In       requests of qmgr; the nexthop is the administrator's reason
 * Out      a report: sent
 * Touches  nothing
 * Trusts   qmgr
 * Killed   qmgr asks again
 */

#include "base/base.h"
#include "service/deliver.h"

static void
report_all(struct delivery_request *request)
{
	for (size_t i = 0; i < request->envelope->recipient_count; i++)
		delivery_report(request, &request->envelope->recipients[i],
		    DELIVERY_SENT, "2.0.0", "none", "%s", request->nexthop);
}

static void
serve(struct service_request *requests, size_t count)
{
	service_deliver(requests, count, report_all);
}

int
main(int argc, char **argv)
{
	static const struct service discard = {
		.name	= "discard",
		.serve	= serve,
		.chroot	= true,
		.sandbox = SANDBOX_SOCKETS,
	};

	return service_worker(&discard, argc, argv);
}
