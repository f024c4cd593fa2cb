/*
 * tsig - messages that prove who sent them (RFC 8945)
 *
 * A struct dns_tsig is one exchange as one side sees it: the server's begins
 * with the request that came, the client's with the request that it signs.
 * After that each message is signed, or verified, together with the code of
 * the one before.
 */

#ifndef DNS_TSIG_H
#define DNS_TSIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/key.h"

#define DNS_TSIG_FUDGE	300	/* seconds that clocks may differ */

/* Octets that signing adds, at most. */
#define DNS_TSIG_MAX	(2 * DNS_NAME_MAX + 10 + 16 + DNS_MAC_MAX + 6)

enum dns_tsig_error {
	DNS_BADSIG = 16,
	DNS_BADKEY = 17,
	DNS_BADTIME = 18,
	DNS_BADTRUNC = 22,
};

/* A TSIG record. */
struct dns_tsig_record {
	size_t	 at;			/* where it begins */
	struct dns_name name;		/* of the key */
	struct dns_name algorithm;
	uint64_t time;			/* seconds since 1970 */
	uint16_t fudge;
	uint16_t mac_length;
	uint16_t original_id;
	uint16_t error;
	uint16_t other_length;
	const uint8_t *mac;		/* in the message */
	const uint8_t *other;
};

struct dns_tsig {
	const struct dns_key *key;	/* NULL: nothing can be signed */
	uint16_t error;			/* of the request: 0, or what goes into the answer */
	bool	 is_client;
	bool	 is_continued;		/* a message of the answer went before */
	unsigned unsigned_count;	/* verifying: messages since the last code */
	uint16_t mac_length;
	uint8_t	 mac[DNS_MAC_MAX];	/* the last one */
	struct dns_mac *running;	/* verifying: what follows it */
	struct dns_name name;		/* of the request, for an answer that cannot be signed */
	struct dns_name algorithm;
	uint64_t time;
};

/*
 * Read the TSIG record that begins at octet `at`: it must be the last of the
 * message and well formed. False: FORMERR.
 */
bool	dns_tsig_read(struct dns_tsig_record *record, const uint8_t *message,
	    size_t length, size_t at);

/* Find it in a message of any kind: 1, 0 if there is none, -1 if it is malformed or misplaced. */
int	dns_tsig_find(struct dns_tsig_record *record, const uint8_t *message,
	    size_t length);

/*
 * The server's side: check a request that carries this record. 0, or the
 * error that the answer, whose code is then NOTAUTH, has to bear (also in
 * tsig->error); FORMERR (1) for a code too short to be one. Keeps the key.
 */
unsigned dns_tsig_receive(struct dns_tsig *tsig, const struct dns_key *keys,
	    size_t key_count, const uint8_t *message,
	    const struct dns_tsig_record *record, uint64_t now);

/* The client's side: begin an exchange. Keeps the key. */
void	dns_tsig_start(struct dns_tsig *tsig, const struct dns_key *key);

/*
 * Put a TSIG record behind a message of that length, which has room for
 * DNS_TSIG_MAX octets more. Gives the new length.
 */
size_t	dns_tsig_sign(struct dns_tsig *tsig, uint8_t *message, size_t length,
	    uint64_t now);

/*
 * The client's side: verify the next message of the answer. *length becomes
 * that of the message without its TSIG record. A message without one is
 * accepted between others (RFC 8945 section 5.3.1), never as the first or,
 * which the caller sees to by is_signed, as the last.
 * NULL, or what is wrong.
 */
const char *dns_tsig_verify(struct dns_tsig *tsig, uint8_t *message,
	    size_t *length, uint64_t now, bool *is_signed);

/* Release what an exchange holds. */
void	dns_tsig_clear(struct dns_tsig *tsig);

/* The name of an error code: "BADKEY". */
const char *dns_tsig_error_name(unsigned error);

#endif
