/* Which address is meant, and where it goes, for postroad explain. */

#include "trivial-rewrite/trivial-rewrite.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "delivery/route.h"
#include "service/explain.h"

static const char *const classes[] = {
	[CLASS_LOCAL] = "local (mydestination, or an address of this host)",
	[CLASS_VIRTUAL_ALIAS] = "virtual alias (virtual_alias_domains)",
	[CLASS_VIRTUAL_MAILBOX] = "virtual mailbox (virtual_mailbox_domains)",
	[CLASS_RELAY] = "relay (relay_domains)",
	[CLASS_OTHER] = "somebody else's",
};

/* What a transport means that delivers nothing, its nexthop being the reason; NULL for others. */
static const char *
verdict_of(const char *transport)
{
	return strcmp(transport, "error") == 0 ? "returned to its sender" :
	    strcmp(transport, "retry") == 0 ? "waits in the queue" :
	    strcmp(transport, "discard") == 0 ? "thrown away" : NULL;
}

static void
tell_service(const char *transport, const char *sender, const char *address)
{
	const struct master_entry *service = explain_service(transport);
	const char *const arguments[] = { transport, address, NULL };
	const char *const both[] = { transport, sender, address, NULL };

	if (service == NULL)
		printf("  service    master.cf has none of this name: the mail "
		    "would wait (mail transport unavailable)\n");
	else {
		printf("  service    %s, master.cf, line %d\n",
		    service->program, service->line);
		if (strcmp(service->program, "local") == 0)
			explain_next("local", arguments);
		else if (strcmp(service->program, "smtp") == 0)
			explain_next("smtp", both);
	}
}

int
explain(int argc, char **argv)
{
	int at = explain_options(argc, argv);
	struct resolution found = { 0 };

	if (argc - at != 2)
		explain_fail("usage: %s --explain sender address", argv[0]);
	explain_begin(explain_service("rewrite"));
	resolve_open();
	printf("\nwhere <%s> leads\n", argv[at + 1]);
	explain_tables();
	resolve_address(argv[at], argv[at + 1], false, &found);
	if (found.error != 0) {
		printf("  nobody knows: %s: the mail would wait\n",
		    strerror(found.error));
		return 0;
	}

	const char *transport = text_string(&found.transport);

	printf("  address    %s%s\n  domain     %s\n  transport  %s\n"
	    "  nexthop    %s\n", text_string(&found.recipient),
	    found.flags & ROUTE_SENDER_ROUTED
	    ? " (it routes on: not relayed for strangers)" : "",
	    found.address_class >= CLASS_LOCAL &&
	    found.address_class <= CLASS_OTHER ? classes[found.address_class]
	    : "unknown", transport, text_string(&found.nexthop));
	if (verdict_of(transport) != NULL)
		printf("  result     %s: %s\n", verdict_of(transport),
		    text_string(&found.nexthop));
	else
		tell_service(transport, argv[at],
		    text_string(&found.recipient));
	return 0;
}
