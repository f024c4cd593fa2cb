/*
 * command - what a client says
 *
 * The parsers give NULL for a good command, or the reply that says what is
 * wrong: "501 5.5.4 Syntax: MAIL FROM:<address>". Nothing that they accept
 * holds a control character, decoded xtext included.
 */

#ifndef SMTP_COMMAND_H
#define SMTP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "address/address.h"

#define SMTP_COMMAND_MAX	4096	/* a longer line is refused, and read past */
#define SMTP_VERB_SIZE		16
#define SMTP_ENVID_MAX		100	/* RFC 3461 section 4.4 */
#define SMTP_ORCPT_MAX		500	/* RFC 3461 section 4.2 */

/* A line without its end, cut at the first run of blanks. */
struct smtp_command {
	char		 verb[SMTP_VERB_SIZE];	/* in capitals; "" if there is no word that fits */
	const char	*argument;		/* of the line; without blanks at its ends */
	size_t		 argument_length;
};

void	smtp_command_split(const char *line, size_t length,
	    struct smtp_command *command);

enum smtp_body { SMTP_BODY_UNSAID, SMTP_BODY_7BIT, SMTP_BODY_8BITMIME };
enum smtp_ret { SMTP_RET_UNSAID, SMTP_RET_FULL, SMTP_RET_HDRS };

enum {				/* NOTIFY; none of them: not said */
	SMTP_NOTIFY_NEVER	= 1 << 0,
	SMTP_NOTIFY_SUCCESS	= 1 << 1,
	SMTP_NOTIFY_FAILURE	= 1 << 2,
	SMTP_NOTIFY_DELAY	= 1 << 3,
};

/* Parameters that a server honours now; the others are "unsupported". */
enum {
	SMTP_HONOUR_SIZE	= 1 << 0,
	SMTP_HONOUR_8BITMIME	= 1 << 1,
	SMTP_HONOUR_DSN		= 1 << 2,
	SMTP_HONOUR_SMTPUTF8	= 1 << 3,
	SMTP_STRICT_PATH	= 1 << 4,	/* only <address>, perhaps with blanks before it */
	SMTP_STRICT_UTF8	= 1 << 5,	/* beyond ASCII only with SMTPUTF8: local parts, too */
	SMTP_NULL_DOMAIN	= 1 << 7,	/* "user@" is an address */
	SMTP_NUMERIC_DOMAIN	= 1 << 8,	/* so is "user@192.0.2.1" */
	SMTP_HONOUR_XVERP	= 1 << 9,
	SMTP_REFUSE_MINUS	= 1 << 6,	/* "-x@y" might be taken for an option somewhere */
};

struct smtp_mail {
	char		sender[ADDRESS_SIZE];
	int64_t		size;				/* -1: not said */
	enum smtp_body	body;
	enum smtp_ret	ret;
	bool		smtputf8;
	bool		wants_verp;
	char		verp[3];		/* its delimiters; "": the usual ones */
	char		envid[SMTP_ENVID_MAX + 1];	/* decoded; "": not said */
};

struct smtp_rcpt {
	char		recipient[ADDRESS_SIZE];
	unsigned	notify;				/* SMTP_NOTIFY_... */
	char		orcpt[SMTP_ORCPT_MAX + 1];	/* "rfc822;" and the decoded address; "": not said */
};

/*
 * Parse what follows MAIL or RCPT. The complaint is built in reply, which is
 * then what the function gives; NULL if all is well. A recipient may have
 * SMTP_HONOUR_SMTPUTF8 if his sender had asked for it.
 */
const char *smtp_mail_parse(const char *argument, size_t length,
	    unsigned honoured, struct smtp_mail *mail, struct text *reply);
const char *smtp_rcpt_parse(const char *argument, size_t length,
	    unsigned honoured, struct smtp_rcpt *rcpt, struct text *reply);

/*
 * xtext (RFC 3461 section 4): decode into a buffer of size bytes; what decodes
 * to something that is not printable is refused. 0, or -1.
 */
int	smtp_xtext_decode(const char *text, size_t length, char *decoded,
	    size_t size);
void	smtp_xtext_encode(struct text *out, const char *text);

/*
 * The same for an address of type utf-8 (RFC 6533 section 3): what is not
 * plain ASCII is \x{HEX}, or as it is. What is encoded is valid UTF-8, and
 * comes out in ASCII, which every host takes.
 */
int	smtp_utf8_xtext_decode(const char *text, size_t length, char *decoded,
	    size_t size);
void	smtp_utf8_xtext_encode(struct text *out, const char *text);

/* Is this the type in front of such an address? */
bool	smtp_is_utf8_type(const char *type, size_t length);

/* Append " ORCPT=type;address", encoded, and " NOTIFY=...": nothing where there is none. */
void	smtp_put_orcpt(struct text *out, const char *orcpt);
void	smtp_put_notify(struct text *out, unsigned notify);

#endif
