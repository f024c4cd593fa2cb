/*
 * downgrade - mail of 8 bits for hosts that take 7 (RFC 6152 section 3)
 *
 * A body whose header says 8bit or binary becomes quoted-printable (RFC 2045
 * section 6.7), and its header says so; a multipart's says 7bit. All else
 * stays as it is, so that signatures over other parts stay good.
 */

#ifndef MESSAGE_DOWNGRADE_H
#define MESSAGE_DOWNGRADE_H

#include "message/mime.h"

/* Append the message for 7 bits to out. deepest and longest_boundary as in mime.h. */
void	downgrade(struct text *out, const char *message, size_t length,
	    int deepest, size_t longest_boundary);

#endif
