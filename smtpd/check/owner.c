/*
 * Who owns a sender address: smtpd_sender_login_maps.
 *
 * Nobody logs in yet, so an address that has an owner is nobody's to use.
 * As in Postfix these checks say nothing while logins are off.
 */

#include "config/config.h"
#include "config/values.h"
#include "delivery/route.h"
#include "smtpd/check/check.h"
#include "table/maps.h"

static struct maps *owners;
static bool logins_are_on;

void
owner_open(void)
{
	const char *enabled = config_get("smtpd_sasl_auth_enable");

	if (enabled == NULL || config_bool(enabled, &logins_are_on) == -1)
		logins_are_on = false;
	owners = told_open_maps("smtpd_sender_login_maps",
	    config.smtpd_sender_login_maps);
}

enum verdict
owner_check(struct session *s, const struct check *check)
{
	const struct route *route = checks_sender_route(s);
	const char *owner;

	if (!logins_are_on)
		return VERDICT_NONE;
	if (route->error == 0)
		switch (maps_find_address(owners, route->recipient,
		    route->address_class == CLASS_LOCAL,
		    config.recipient_delimiter, &owner, NULL)) {
		case TABLE_NONE:
			return VERDICT_NONE;
		case TABLE_FOUND:
			return check_refuse(s, 553, "5.7.1",
			    "<%s>: Sender address rejected: not logged in",
			    session_sender(s));
		case TABLE_ERROR:
			break;
		}
	if (told_is_asking(s))
		return VERDICT_WAIT;
	return check_fail(s, "4.3.0", "<%s>: Temporary lookup failure",
	    session_sender(s));
}
