/* pickup.h - what the files of pickup share */

#ifndef PICKUP_PICKUP_H
#define PICKUP_PICKUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/base.h"
#include "message/envelope.h"
#include "service/service.h"
#include "spool/spool.h"

/* One message: a file of maildrop, or what sendmail gave us itself. */
struct drop {
	char		 name[SPOOL_ID_SIZE];
	int		 fd;		/* the file; -1: there is none */
	struct ipc_channel *channel;	/* sendmail's, while it waits for an answer */
	uint64_t	 request;
	uid_t		 uid;		/* whose it is */
	struct pool	*pool;
	struct envelope	*envelope;
	char		 old_id[SPOOL_ID_SIZE];	/* of a requeued message, else "" */
	int64_t		 content_offset, content_length;
	struct text	 content;	/* all of it, if it is small */
	int64_t		 submitted_us;	/* handed to cleanup */
	bool		 again;		/* a cleanup may have it already */
};

/* maildrop.c: which files there are. */
void	maildrop_start(void);
void	maildrop_nudged(const char *what);

/* There is room for more under way: look whether files wait. */
void	maildrop_go_on(void);

/* A cleanup died with files of ours: those of the next scan are asked for before they are given again. */
void	maildrop_doubt(void);

/* It did not go: look again soon. */
void	maildrop_try_later(void);

/* claim.c: the envelope that uid may say, its token "submit/..." if he gave one. NULL: no room in pool. */
struct envelope *claim_envelope(struct pool *pool,
	    const struct envelope *given, uid_t uid, int64_t arrival_us);

/* What main.cf says of all mail from here: receive_override_options, content_filter. */
void	claim_apply_options(struct envelope *envelope);

/* Append bytes to content without CRs: who wrote them may not have been sendmail. */
void	claim_content(const char *bytes, size_t length, struct text *content);

/* direct.c: sendmail's packets, and what it is told: 250 taken, 450 not taken, 0 nobody knows. */
void	direct_packet(struct ipc_channel *channel, struct ipc_packet *packet,
	    void *context);
void	direct_answer(const struct drop *drop, int status, const char *queue_id);

/* submit.c: the hand-over. Takes drop. */
void	submit_drop(struct drop *drop);
bool	submit_takes_direct(void);
void	submit_forget_channel(struct ipc_channel *channel);
void	drop_free(struct drop **drop);
bool	submit_is_underway(const char *name);
bool	submit_has_room(void);
bool	submit_is_busy(void);

#endif
