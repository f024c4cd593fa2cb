/* received - the field that each host adds on top (RFC 5321 section 4.4) */

#ifndef MESSAGE_RECEIVED_H
#define MESSAGE_RECEIVED_H

#include "base/text.h"
#include "message/envelope.h"

/*
 * Append the Received field, in Postfix's form, of an envelope that has its
 * arrival time, and its queue id unless it never gets one. A message that no client brought (protocol_name
 * is "") came from within: origin says from whom, "from userid 1000", or NULL.
 */
void	message_received(struct text *out, const struct envelope *envelope,
	    const char *myhostname, const char *mail_name, const char *origin);

#endif
