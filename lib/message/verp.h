/*
 * verp - variable envelope return path: a sender's address for each recipient
 *
 * owner-list@origin becomes owner-list+user=domain@origin, so that a
 * notice about user@domain says by its recipient whom it is about.
 */

#ifndef MESSAGE_VERP_H
#define MESSAGE_VERP_H

#include "base/text.h"

/* NULL if these two delimiters are among those permitted; else what is wrong with them. */
const char *verp_complaint(const char *delimiters, const char *permitted);

/* Set out to the sender's address for this recipient. */
void	verp_sender(struct text *out, const char *delimiters,
	    const char *sender, const char *recipient);

#endif
