/* types - record types and classes, by number and by name */

#ifndef DNS_TYPES_H
#define DNS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dns_type {
#define TYPE(name, number, fields)	DNS_TYPE_##name = number,
#define NAMED_TYPE(name, text, number, fields)	DNS_TYPE_##name = number,
#include "dns/types.def"
#undef TYPE
#undef NAMED_TYPE
	/* Questions and transport only: never in a zone. */
	DNS_TYPE_OPT = 41,
	DNS_TYPE_TKEY = 249,
	DNS_TYPE_TSIG = 250,
	DNS_TYPE_IXFR = 251,
	DNS_TYPE_AXFR = 252,
	DNS_TYPE_MAILB = 253,
	DNS_TYPE_MAILA = 254,
	DNS_TYPE_ANY = 255,
};

enum dns_class {
	DNS_CLASS_IN = 1,
	DNS_CLASS_CH = 3,
	DNS_CLASS_HS = 4,
	DNS_CLASS_NONE = 254,
	DNS_CLASS_ANY = 255,
};

#define DNS_MNEMONIC_MAX	16	/* with its NUL */

/* "MX" or "TYPE12345", in any case: its number, -1 if it is none. Question types are not known here. */
int	dns_type_parse(const char *text, size_t length);

/* Its mnemonic, TYPEn if it has none. Gives text. */
char	*dns_type_print(uint16_t type, char text[DNS_MNEMONIC_MAX]);

/* "IN", "CH", "HS" or "CLASS12345": its number, -1 if it is none. */
int	dns_class_parse(const char *text, size_t length);
char	*dns_class_print(uint16_t class, char text[DNS_MNEMONIC_MAX]);

/* The letters of types.def for its data; "?" for a type that we do not know. */
const char *dns_type_fields(uint16_t type);

/* Can records of this type stand in a zone? */
bool	dns_type_is_data(uint16_t type);

#endif
