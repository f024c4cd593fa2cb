/* verify - whether mail to an address could be delivered: the words of verify(8) */

#ifndef DELIVERY_VERIFY_H
#define DELIVERY_VERIFY_H

#include <stdbool.h>

#include "base/text.h"

/* As verify_told and verify_update have it; the numbers are those of Postfix's cache. */
enum verify_status {
	VERIFY_OK,		/* deliverable */
	VERIFY_DEFER,		/* nobody can say now */
	VERIFY_BOUNCE,		/* undeliverable */
	VERIFY_TODO,		/* it is being found out */
};

/* The sender of probes, internal form, as address_verify_sender and address_verify_sender_ttl say; "" is the null sender. */
void	verify_sender(struct text *out);

/* Would a probe come from this local part now, or lately? */
bool	verify_is_sender(const char *localpart);

#endif
