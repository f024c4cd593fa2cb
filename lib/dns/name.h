/*
 * name - domain names (RFC 1035 section 3.1, RFC 4343)
 *
 * A name in wire form is uncompressed, absolute and keeps its letters' case;
 * comparisons ignore the case of ASCII letters. A function that takes
 * (const uint8_t *wire) borrows a valid name, which knows its own end.
 */

#ifndef DNS_NAME_H
#define DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_MAX	255	/* octets, root included */
#define DNS_LABEL_MAX	63
#define DNS_LABELS_MAX	127	/* without the root */
#define DNS_NAME_TEXT	1024	/* enough for any name as text, with its NUL */

struct dns_name {
	uint8_t	length;		/* octets, root included */
	uint8_t	bytes[DNS_NAME_MAX];
};

/*
 * Parse the presentation form (RFC 1035 section 5.1): \X, \DDD, "@" and, if
 * there is no dot at the end, origin after it. Without an origin (NULL) a
 * relative name counts as absolute. 0, or -1 with *why.
 */
int	dns_name_parse(struct dns_name *name, const char *text, size_t length,
	    const struct dns_name *origin, const char **why);

/*
 * The letters, digits and hyphens that begin a text, as a label before an
 * origin: how many they are. If that is 0, or length, or what follows ends
 * no word, then it is not so simple.
 */
size_t	dns_name_parse_host(struct dns_name *name, const char *text,
	    size_t length, const struct dns_name *origin);

/* The presentation form, with the dot at its end. Gives text. */
char	*dns_name_print(const uint8_t *wire, char text[DNS_NAME_TEXT]);

/* The same without the last dot unless it is the root: as logs show names. */
char	*dns_name_show(const uint8_t *wire, char text[DNS_NAME_TEXT]);

/*
 * Read the name at *offset of a message, compressed or not, and move *offset
 * behind it. False if it is not a valid name.
 */
bool	dns_name_unpack(struct dns_name *name, const uint8_t *message,
	    size_t length, size_t *offset);

/* Octets of the uncompressed name that begins wire; 0 if size octets do not hold a valid one. */
size_t	dns_name_check(const uint8_t *wire, size_t size);

/* Octets of a valid name. */
size_t	dns_name_length(const uint8_t *wire);

/* Labels of a valid name, the root not counted. */
unsigned dns_name_labels(const uint8_t *wire);

void	dns_name_copy(struct dns_name *name, const uint8_t *wire);

/* Copy length octets with letters in lower case. Length octets of labels are no letters. */
void	dns_name_lower(uint8_t *to, const uint8_t *from, size_t length);

bool	dns_name_equal(const uint8_t *a, const uint8_t *b);

/* The canonical order (RFC 4034 section 6.1): less than 0, 0 or greater. */
int	dns_name_compare(const uint8_t *a, const uint8_t *b);

/* Is name equal to zone, or below it? */
bool	dns_name_within(const uint8_t *name, const uint8_t *zone);

/* Are all labels letters, digits and inner hyphens (RFC 952, 1123)? A first label "*" is fine. */
bool	dns_name_is_host(const uint8_t *wire);

#endif
