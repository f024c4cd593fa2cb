/* bounce.h - what the files of bounce share */

#ifndef BOUNCE_BOUNCE_H
#define BOUNCE_BOUNCE_H

#include "base/base.h"
#include "delivery/delivery.h"
#include "delivery/later.h"
#include "delivery/template.h"
#include "message/envelope.h"
#include "service/service.h"

/* What qmgr, or pickup, wants to be told. */
struct notice {
	enum notice_kind	 kind;
	bool			 is_expired;	/* what was deferred counts as failed */
	bool			 again;		/* perhaps it was told before */
	bool			 is_part;	/* one result of several: with VERP each has a notice of its own */
	struct pool		*pool;
	struct envelope		*envelope;	/* of the message that it is about */
	struct delivery_result	*results;	/* of its recipients; not all belong to this notice */
	size_t			 count;
	const char		*content;	/* of that message */
	size_t			 content_length;
	void			*mapping;	/* where it came as a file */
	size_t			 mapping_length;
};

/* One message that is sent for a notice: to the sender, or to the postmaster. */
struct letter {
	struct notice		*notice;
	const char		*to;
	bool			 to_postmaster;
	bool			 returns_whole;	/* the message, if it is not too large; else its header */
	const struct delivery_result **results;	/* those that it tells of */
	size_t			 count;
};

enum { LETTERS_MAX = 2 };	/* for one notice */

/* receive.c: a packet becomes a notice. 0, or -1 (logged). Ended with notice_clear() either way. */
int	notice_receive(struct notice *notice, struct ipc_packet *packet);
void	notice_clear(struct notice *notice);

/* tell.c: who hears of it, and of what. Gives how many letters there are. */
size_t	notice_letters(struct notice *notice, struct letter letters[LETTERS_MAX]);

/* compose.c: the letter as a message, RFC 3462, 3464 and 6533. */
void	compose_start(void);		/* reads the templates */
void	compose(const struct letter *letter, struct text *out);

/* send.c: all notices of a batch, then the answers to who asked. */
void	send_notices(struct service_request *requests, size_t count);

#endif
