/* The last look at files: tables, lists, resolver. */


#include "smtpd/smtpd.h"

#include "config/config.h"
#include "ipc/channel.h"
#include "service/service.h"
#include "service/sieve.h"
#include "smtpd/checks.h"
#include "smtpd/client.h"
#include "smtpd/dialogue.h"
#include "smtpd/screening.h"
#include "smtpd/transaction.h"

struct resolver *smtpd_resolver;
struct ipc_client *smtpd_cleanup, *smtpd_rewrite;

void
smtpd_start(void)
{
	const char *why = NULL;

	smtpd_resolver = resolve_new(service_base, &why);
	if (smtpd_resolver == NULL)
		fatal("cannot read the resolver's configuration: %s; look at "
		    "/etc/resolv.conf", why);
	sieve_open(smtpd_resolver, "smtpd_dns_reply_filter",
	    config.smtpd_dns_reply_filter);
	smtpd_cleanup = ipc_client_new(service_base,
	    config.cleanup_service_name);
	smtpd_rewrite = ipc_client_new(service_base,
	    config.rewrite_service_name);
	client_open();
	if (*address_proxy_protocol() != '\0' &&
	    !text_equal_nocase(address_proxy_protocol(), "haproxy"))
		fatal("%s_upstream_proxy_protocol = %s: expected haproxy",
		    config.smtpd_screening ? "postscreen" : "smtpd",
		    address_proxy_protocol());
	stress_prepare();
	content_open();
	screen_open();
	reword_open();
	xclient_open();
	proxy_filter_open();
	listed_open();
	checks_compile();
}
