/* bounce.h - what the files of bounce share */

#ifndef BOUNCE_BOUNCE_H
#define BOUNCE_BOUNCE_H

#include "base/base.h"
#include "delivery/delivery.h"
#include "message/envelope.h"
#include "service/service.h"

struct notice {
	enum notice_kind	 kind;
	bool			 is_expired;	/* what was deferred counts as failed */
	struct pool		*pool;
	struct envelope		*envelope;	/* of the message that the notice is about */
	struct delivery_result	*results;	/* those that it tells of */
	size_t			 count;
	const char		*content;	/* of that message */
	size_t			 content_length;
};

/* compose.c: the notice as a message, RFC 3462 and RFC 3464. */
void	compose_notice(const struct notice *notice, struct text *out);

/* send.c: hand it to cleanup. 0 when it is durable, its queue id in id; -1 with *why. */
int	send_notice(const struct notice *notice, const struct text *content,
	    struct text *id, const char **why);

/* remember.c: why a message waits, for mailq and the notice that may come. */
void	remember(const char *queue_id, const char *results, size_t length);
void	forget(const char *queue_id);

/* sweep.c: remove, a little at each call, what no message needs any more. True while there is more. */
bool	sweep_reasons(void);

#endif
