/*
 * sieve - what main.cf says of the answers of the DNS: smtp_dns_reply_filter, smtpd_dns_reply_filter
 *
 * A process has one. Open it before the sandbox closes.
 */

#ifndef SERVICE_SIEVE_H
#define SERVICE_SIEVE_H

#include "resolve/resolve.h"

/* The resolver's questions are sifted through these tables, unless there are none. Keeps parameter. */
void	sieve_open(struct resolver *resolver, const char *parameter,
	    const char *list);

#endif
