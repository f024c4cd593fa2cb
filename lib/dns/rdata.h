/*
 * rdata - the data of one record, read from the words of a master file,
 * checked in wire form, written as text
 *
 * All of it is driven by the field letters of types.def. In wire form the
 * names inside are uncompressed; the \# form (RFC 3597) serves every type.
 */

#ifndef DNS_RDATA_H
#define DNS_RDATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "dns/name.h"

#define DNS_RDATA_MAX	65535

/* A word of a master file as it stands there: escapes not yet resolved, quotes removed. */
struct dns_word {
	const char *text;
	size_t	 length;
	bool	 quoted;
};

/*
 * Make rdata from words; relative names get origin. Octets written to rdata,
 * or -1 with *why and, if a word is at fault, *bad (else -1).
 */
int	dns_rdata_parse(uint16_t type, const struct dns_word *words,
	    size_t count, const struct dns_name *origin,
	    uint8_t rdata[DNS_RDATA_MAX], const char **why, int *bad);

/* Is this well-formed, uncompressed data of the type? */
bool	dns_rdata_check(uint16_t type, const uint8_t *rdata, size_t length);

/* Append the presentation form of well-formed data. */
void	dns_rdata_print(uint16_t type, const uint8_t *rdata, size_t length,
	    struct text *to);

/*
 * Octets of the field that begins at rdata, by its letter; 0 if size octets
 * do not hold it (or it is a field that reaches to the end, of no octets).
 */
size_t	dns_field_size(char field, const uint8_t *rdata, size_t size);

/* A span of time, "3600" or "1w2d": seconds, or -1. At most UINT32_MAX. */
int64_t	dns_ttl_parse(const char *text, size_t length);

/* What a key is, as a comment: "; KSK; alg = RSASHA256 ; key id = 20326". */
void	dns_key_remark(uint16_t type, const uint8_t *rdata, size_t length,
	    struct text *to);

#endif
