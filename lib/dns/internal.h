/* What the files of lib/dns share. */

#ifndef DNS_INTERNAL_H
#define DNS_INTERNAL_H

#include <sys/types.h>

#include "dns/encodings.h"
#include "dns/rdata.h"

/* Rdata in the making. */
struct dns_rdata_writer {
	uint8_t	*rdata;			/* DNS_RDATA_MAX octets */
	size_t	 used;
	size_t	 start;			/* of the value in the making, for who needs it */
	const struct dns_name *origin;
	const char *why;
	int	 bad;			/* the word at fault, of those of the field; -1: the end of the line */
};

/* Data with a form of their own, from some field to the end. */
struct dns_form {
	char	 field;
	int	(*parse)(struct dns_rdata_writer *w,
		    const struct dns_word *words, size_t count);
	bool	(*check)(const uint8_t *at, size_t size);
	void	(*print)(const uint8_t *at, size_t size, struct text *to);
};

extern const struct dns_form dns_forms_of_gateways[], dns_forms_of_places[];

/* The form of a field letter; NULL if it has none of its own. */
const struct dns_form *dns_form_find(char field);

static inline uint32_t
dns_be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static inline void
dns_be32_put(uint8_t *at, uint32_t value)
{
	at[0] = value >> 24;
	at[1] = value >> 16 & 0xff;
	at[2] = value >> 8 & 0xff;
	at[3] = value & 0xff;
}

/* Does a field reach to the end of the data, whatever that consists of? */
bool	dns_field_is_tail(char field);

/* words.c: one word into a field; all that are left into one that reaches to the end; hexadecimal or base64 in any number of words. */
int	dns_words_field(struct dns_rdata_writer *w, char field,
	    const struct dns_word *word);
int	dns_words_tail(struct dns_rdata_writer *w, char field,
	    const struct dns_word *words, size_t count);
int	dns_words_encoded(struct dns_rdata_writer *w,
	    const struct dns_word *words, size_t count, bool base64);

/* Append octets. 0, or -1 when the data grows too long. */
int	dns_rdata_put(struct dns_rdata_writer *w, const void *bytes,
	    size_t length);

int	dns_rdata_put_name(struct dns_rdata_writer *w,
	    const struct dns_word *word);
int	dns_rdata_put_base64(struct dns_rdata_writer *w,
	    const struct dns_word *words, size_t count);

/* A number from 0 to most; -1 if the word is none. */
int64_t	dns_number_parse(const struct dns_word *word, int64_t most);

/* An address of 4 or 16 octets. 0, or -1 with *why. */
int	dns_address_parse(const struct dns_word *word, int family,
	    uint8_t address[16], const char **why);

/* print.c: in quotes, and one character of such a text */
void	dns_string_print(const uint8_t *bytes, size_t length, struct text *to);
void	dns_character_print(uint8_t c, struct text *to);

/* mnemonics.c: by field letter. -1 with *why. */
int64_t	dns_mnemonic_parse(char field, const struct dns_word *word,
	    const char **why);
void	dns_mnemonic_print(char field, unsigned number, struct text *to);

/* Resolve escapes into at most size octets: how many, or -1. */
ssize_t	dns_text_unescape(const struct dns_word *word, uint8_t *to,
	    size_t size);

/* bitmap.c: the set of types of NSEC, NSEC3 and CSYNC (RFC 4034 section 4.1.2) */
int	dns_bitmap_parse(struct dns_rdata_writer *w,
	    const struct dns_word *words, size_t count);
bool	dns_bitmap_check(const uint8_t *bitmap, size_t size);
void	dns_bitmap_print(const uint8_t *bitmap, size_t size, struct text *to);

/* service.c: the parameters of SVCB and HTTPS (RFC 9460 section 2.1) */
int	dns_service_parse(struct dns_rdata_writer *w,
	    const struct dns_word *words, size_t count);
bool	dns_service_check(const uint8_t *parameters, size_t size);
void	dns_service_print(const uint8_t *parameters, size_t size,
	    struct text *to);

#endif
