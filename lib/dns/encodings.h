/* encodings - octets as text: hexadecimal, base64, base32hex (RFC 4648) */

#ifndef DNS_ENCODINGS_H
#define DNS_ENCODINGS_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Octets written, no more than length; -1 if the text is not valid. */
ssize_t	dns_hex_decode(const char *text, size_t length, uint8_t *to);
ssize_t	dns_base64_decode(const char *text, size_t length, uint8_t *to);
ssize_t	dns_base32_decode(const char *text, size_t length, uint8_t *to);

void	dns_base64_print(const uint8_t *bytes, size_t length, struct text *to);
void	dns_base32_print(const uint8_t *bytes, size_t length, struct text *to);

#endif
