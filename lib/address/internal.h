/* What the files of lib/address share. */

#ifndef ADDRESS_INTERNAL_H
#define ADDRESS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "address/address.h"

/* May stand unquoted in a local part (RFC 5322 section 3.2.3, RFC 6532). */
bool	is_atext(unsigned char c);
bool	is_control(unsigned char c);

/* An internal address that grows; bytes past ADDRESS_MAX set overflow instead. */
struct address_build {
	char	*bytes;			/* room for ADDRESS_SIZE */
	size_t	 length;
	bool	 overflow;
};

void	build_put(struct address_build *build, char c);

#endif
