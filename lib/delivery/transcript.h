/* transcript - an SMTP session that went wrong, as the postmaster is told of it (notify_classes) */

#ifndef DELIVERY_TRANSCRIPT_H
#define DELIVERY_TRANSCRIPT_H

#include <stddef.h>

#include "base/text.h"
#include "ipc/ipc.h"

/* All zeros to begin; transcript_clear() to end. It keeps some 16 KiB, and says so when there was more. */
struct transcript {
	struct text	lines;
	size_t		left_out;
	size_t		greeting;	/* lines before the first message; 0: none came yet */
};

/* What was said, or heard: one or more lines, their ends may be LF or CRLF. */
void	transcript_said(struct transcript *transcript, const char *text,
	    size_t length);
void	transcript_heard(struct transcript *transcript, const char *text,
	    size_t length);

/* Another message begins; what was said about the ones before is of no interest any more. */
void	transcript_forget_messages(struct transcript *transcript);
void	transcript_clear(struct transcript *transcript);

/*
 * The submission for cleanup that tells error_notice_recipient: who ("SMTP
 * server") had trouble with whom; aborted is why the session ended early, or NULL.
 */
void	transcript_encode(const struct transcript *transcript, const char *who,
	    const char *peer, const char *aborted, struct ipc_packet *packet);

#endif
