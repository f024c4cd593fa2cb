/* journal.h - the segments as qmgr knows them: arrivals.c reads them, journal.c makes them free again */

#ifndef QMGR_JOURNAL_H
#define QMGR_JOURNAL_H

#include "qmgr/qmgr.h"

struct journal_segment {
	TAILQ_ENTRY(journal_segment) next;
	struct segment		*segment;
	struct ipc_channel	*owner;		/* the cleanup that appends to it, NULL: none that we know */
	TAILQ_HEAD(, message)	 messages;	/* not finished */
	bool			 telling;	/* cleanup told us; else we found it ourselves */
	bool			 starting;
	bool			 used;		/* there is a batch in it */
	bool			 unread;	/* there may be more than there was room for */
	bool			 failed;	/* ... or could be read: the timer tries again */
	int64_t			 end;		/* what is told so far, as segment_scan() has it */
	bool			 is_lost;	/* the disk refuses: nobody uses it again */
	bool			 is_followed;	/* another one was asked for, for when it is full */
	int64_t			 keep_until_ms;	/* its owner died: its fates may be asked for */
};

TAILQ_HEAD(journal_segments, journal_segment);
extern struct journal_segments journal_segments;

/* Begin to flush, to free, and to spill. */
void	journal_start(void);

/* Finished and nobody's: cleanup may use it again. */
void	journal_release_if_finished(struct journal_segment *home);

/* It is filled up to end: when that is half of it, there shall be another, before somebody waits for it. */
void	journal_look_ahead(struct journal_segment *home, int64_t end);

/*
 * Its owner died, and who submitted may ask. One that was never used holds no
 * fate: a cleanup that dies again and again must not fill the disk.
 */
void	journal_keep_for_questions(struct journal_segment *home);

/*
 * arrivals.c: there is more: told by cleanup, up to end, or perhaps. What is
 * left of before stays as it was found. Read on: what there was no room for.
 */
void	arrivals_read_on(struct journal_segment *home);
void	arrivals_scan(struct journal_segment *home, int64_t end, bool telling);

#endif
