/* exchange - a question by UDP to another server, asked again until it is answered or time is up */

#ifndef NAMED_LITE_ENVOY_EXCHANGE_H
#define NAMED_LITE_ENVOY_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "dns/dns.h"
#include "named-lite/control.h"

struct exchange;

/* reply is NULL if there was none; why tells. The exchange is gone then. */
typedef void exchange_done(void *argument, const uint8_t *reply, size_t length,
	    const char *why);

/*
 * Ask about a name: flags with the opcode, a type of class IN. source may
 * have no family. key may be NULL; it is copied. Gives an exchange to cancel;
 * NULL when it could not begin, and then done was not called.
 */
struct exchange *exchange_start(const struct dns_name *name, uint16_t type,
	    uint16_t flags, const union control_socket *to,
	    const union control_socket *source, const struct dns_key *key,
	    exchange_done *done, void *argument);

void	exchange_cancel(struct exchange **exchange);

/* The serial number in an answer to a question for a SOA. NULL, or why there is none. */
const char *exchange_read_soa(const struct dns_name *apex,
	    const uint8_t *reply, size_t length, uint32_t *serial);

/* "REFUSED" */
const char *exchange_rcode(unsigned rcode);

/* A message with that question; its length. */
size_t	exchange_question(uint8_t *message, uint16_t id, uint16_t flags,
	    const struct dns_name *name, uint16_t type);

#endif
