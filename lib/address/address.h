/*
 * address - mail addresses: read, quoted, unquoted, found in header fields
 *
 * An address has two forms. The external one is what travels and is logged:
 * "ada l."@x.org. The internal one is what the suite thinks in: ada l.@x.org,
 * without quotes; its domain begins after the last '@', the null sender is "".
 *
 *   1  Whatever is accepted holds no control character, and its domain is a
 *      host name or an address literal. A local part may hold anything else.
 *   2  Each byte is looked at a bounded number of times; nothing recurses.
 *   3  address_quote() of what was read gives what reads as the same again.
 *
 * RFC 5321 section 4.1.2 (paths), RFC 5322 section 3.4 (fields), RFC 6531
 * (UTF-8). More than 64 octets of local part are accepted: senders that
 * encode a recipient in their return address need them.
 */

#ifndef ADDRESS_ADDRESS_H
#define ADDRESS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/text.h"

#define ADDRESS_MAX	1000		/* bytes of either form */
#define ADDRESS_SIZE	(ADDRESS_MAX + 1)

/*
 * Read the path at the start of text, in angle brackets or, as some clients
 * send it, without; its source route is dropped (RFC 5321 appendix C).
 * Gives the bytes read and the internal form in address, or -1 and *why.
 */
ssize_t	 address_path_parse(const char *text, size_t length,
	    char address[ADDRESS_SIZE], const char **why);

/* The same, and "user@" and "user@192.0.2.1" count as addresses. */
ssize_t	 address_path_parse_odd(const char *text, size_t length,
	    char address[ADDRESS_SIZE], const char **why);

/* The internal form of an external address that is all of text. 0, or -1. */
int	 address_unquote(const char *text, size_t length,
	    char address[ADDRESS_SIZE]);

/* Append the external form of an internal address: ""@domain without a local part; "" stays "". */
void	 address_quote(struct text *out, const char *address);

/* The same as a string, cut to fit, for log lines and listings. Gives room. */
#define ADDRESS_EXTERNAL_SIZE	(2 * ADDRESS_MAX + 3)
char	*address_external(char room[ADDRESS_EXTERNAL_SIZE],
	    const char *address);

/* What follows the last '@' of an internal address; NULL if there is none. */
const char *address_domain(const char *address);

/* Bytes before the last '@'; the whole length if there is none. */
size_t	 address_localpart_length(const char *address);

/*
 * The bytes of the local part before its extension: those before the first
 * delimiter that is not its first character. All of it if there is none.
 * System names are never split: mailer-daemon, double-bounce, and owner-x or
 * x-request when delimiters has '-'.
 */
size_t	 address_base_length(const char *localpart, size_t length,
	    const char *delimiters);

/* A host name: letters, digits, '-', '_' and UTF-8 in labels of 1 to 63, 255 in all, not all digits. */
bool	 hostname_is_valid(const char *name, size_t length);

/* [192.0.2.1] or [IPv6:2001:db8::1], brackets included (RFC 5321 section 4.1.3). */
bool	 address_literal_is_valid(const char *text, size_t length);

/*
 * The addresses of a header field's value: To, Cc, From... Comments, display
 * names and groups are passed over; folding counts as white space.
 */
struct address_list {
	const char	*text;		/* kept until the walk ends */
	size_t		 length;
	size_t		 position;	/* where the walk goes on; 0 to begin */
	bool		 is_spaced;	/* a table's value: white space separates, too, outside of "Ada Lovelace <ada@x.org>" */
	size_t		 plain_until;	/* ours: up to here no angle bracket follows */
};

struct address_found {
	size_t		 start;		/* of the addr-spec in text, without angle brackets */
	size_t		 length;	/* as it stands there, comments inside it included */
	bool		 bracketed;	/* it stands in angle brackets */
	bool		 too_long;	/* address was cut: leave it as it stands */
	char		 address[ADDRESS_SIZE];		/* internal form; "" for <> */
};

/* The next address; false at the end. */
bool	 address_list_next(struct address_list *list,
	    struct address_found *found);

#endif
