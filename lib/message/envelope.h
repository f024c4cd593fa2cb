/*
 * envelope - who sends what to whom, as one piece of text
 *
 * The same records travel from smtpd to cleanup, lie in the spool in front
 * of the content, and reach the delivery agents:
 *
 *	<letter><length>:<bytes>\n
 *
 * Lengths are decimal, so no byte of an address can end a record. The rows
 * are in envelope.def. Pure grammar: no file, no socket.
 */

#ifndef MESSAGE_ENVELOPE_H
#define MESSAGE_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/text.h"

enum {
	ENVELOPE_8BIT		= 1 << 0,	/* BODY=8BITMIME, or 8-bit content was seen */
	ENVELOPE_SMTPUTF8	= 1 << 1,
	ENVELOPE_LOCAL_ORIGIN	= 1 << 2,	/* from this host: complete and rewrite its headers */
	ENVELOPE_BOUNCE		= 1 << 3,	/* a notice of ours: never expanded into another notice */
	ENVELOPE_HOLD		= 1 << 4,	/* put into hold/ */
	ENVELOPE_DISCARD	= 1 << 5,
	ENVELOPE_NO_EXPAND	= 1 << 6,	/* addresses are final: no virtual alias expansion */
	ENVELOPE_TRACE		= 1 << 7,	/* sendmail -v: deliver, and report to the sender what became of each recipient */
	ENVELOPE_VERIFY		= 1 << 8,	/* sendmail -bv: report what would become of each, and deliver nothing */
	ENVELOPE_PROBE		= 1 << 9,	/* with VERIFY: the report is for verify(8) */
	ENVELOPE_NO_CHECKS	= 1 << 10,	/* no header and body checks */
};

/* What a local user may ask for; the rest is for us to say. */
#define ENVELOPE_OF_USERS	(ENVELOPE_8BIT | ENVELOPE_SMTPUTF8 | \
	    ENVELOPE_LOCAL_ORIGIN | ENVELOPE_TRACE | ENVELOPE_VERIFY)

enum { DSN_RET_FULL = 1, DSN_RET_HDRS = 2 };

enum {
	DSN_NOTIFY_NEVER	= 1 << 0,
	DSN_NOTIFY_SUCCESS	= 1 << 1,
	DSN_NOTIFY_FAILURE	= 1 << 2,
	DSN_NOTIFY_DELAY	= 1 << 3,
};

#define ENVELOPE_STRING	const char *
#define ENVELOPE_INT	int64_t

struct recipient {
	const char	*address;	/* where it goes */
#define ATTRIBUTE(letter, type, field)
#define RECIPIENT(letter, type, field)	ENVELOPE_##type field;
#include "message/envelope.def"
#undef RECIPIENT
};

/* Strings are "" when absent, never NULL, in an envelope from envelope_new() or envelope_decode(). */
struct envelope {
#define RECIPIENT(letter, type, field)
#undef ATTRIBUTE
#define ATTRIBUTE(letter, type, field)	ENVELOPE_##type field;
#include "message/envelope.def"
#undef ATTRIBUTE
#undef RECIPIENT
	struct recipient *recipients;
	size_t		 recipient_count;
	size_t		 recipient_room;
	struct pool	*pool;
};

/* An empty envelope that lives in pool, as all that is added to it. NULL with ENOMEM. */
struct envelope *envelope_new(struct pool *pool);

/*
 * Add a recipient; keeps address, which must live as long as the envelope.
 * Its number is its place. Borrowed until the next one is added; NULL with ENOMEM.
 */
struct recipient *envelope_add_recipient(struct envelope *envelope,
	    const char *address);

/* What is left of a recipient's NOTIFY once it was reported that its alias was expanded (RFC 3461 section 5.2.7). */
int64_t	envelope_notify_expanded(int64_t notify);

/* Append the records to text. */
void	envelope_encode(const struct envelope *envelope, struct text *text);

/*
 * The envelope that bytes describe, in pool, with copies of all strings.
 * NULL with EINVAL if the records are malformed, ENOMEM past the pool's limit.
 */
struct envelope *envelope_decode(struct pool *pool, const char *bytes,
	    size_t length);

/* Hexadecimal digits that sendmail makes up, so that a submission is known if it comes twice. */
#define ENVELOPE_USER_TOKEN	32

bool	envelope_is_user_token(const char *token);

/* The name of the attribute with this letter ("sender"), for postcat; NULL if there is none. */
const char *envelope_attribute_name(char letter);

/*
 * Walk through raw records: *position starts at 0. Gives the letter and the
 * value, 0 at the end, -1 if the next record is malformed.
 */
int	envelope_record_next(const char *bytes, size_t length, size_t *position,
	    const char **value, size_t *value_length);

#endif
