/* pickup.h - what the files of pickup share */

#ifndef PICKUP_PICKUP_H
#define PICKUP_PICKUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/base.h"
#include "message/envelope.h"
#include "service/service.h"
#include "spool/spool.h"

/* One file of maildrop. */
struct drop {
	char		 name[SPOOL_ID_SIZE];
	int		 fd;
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

/* submit.c: the hand-over. Takes drop. */
void	submit_drop(struct drop *drop);
void	drop_free(struct drop **drop);
bool	submit_is_underway(const char *name);
bool	submit_has_room(void);
bool	submit_is_busy(void);

#endif
