/*
 * rndc - the messages of BIND's control channel, version 1
 *
 * A message is its length, a version, and a table of tables: "_auth" with a
 * code over all that follows, "_ctrl" with serial number, times and a nonce,
 * "_data" with the command or what came of it. Values are text.
 *
 *   1  Nothing of a message is looked at before its code was found good.
 *   2  No octet beyond the length that was given is read, and tables are
 *      nested no deeper than these.
 */

#ifndef RNDC_RNDC_H
#define RNDC_RNDC_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "dns/key.h"

#define RNDC_MESSAGE_MAX	32768	/* octets of a request, its length included */
#define RNDC_FIELDS_MAX		32

struct rndc_field {
	const char *table, *name, *value;	/* not terminated */
	size_t	 table_length, name_length, value_length;
};

struct rndc_message {
	const struct dns_key *key;	/* that it was signed with */
	struct rndc_field fields[RNDC_FIELDS_MAX];
	size_t	 count;
};

/*
 * Read what follows the four octets of the length. Keeps bytes. 0; -1 with
 * *why if it is malformed or none of the keys made its code.
 */
int	rndc_read(struct rndc_message *message, const void *bytes,
	    size_t length, const struct dns_key *keys, size_t key_count,
	    const char **why);

/* A value as a string of its own, NULL if the message has none. Released with free(3). */
char	*rndc_value(const struct rndc_message *message, const char *table,
	    const char *name);

/* Is that value this one? */
int	rndc_is(const struct rndc_message *message, const char *table,
	    const char *name, const char *value);

/* Write a message: begin, tables with their values, finish with the key. */
void	rndc_begin(struct text *to, const struct dns_key *key);
size_t	rndc_open_table(struct text *to, const char *name);
void	rndc_put(struct text *to, const char *name, const char *value);
void	rndc_close_table(struct text *to, size_t table);
void	rndc_finish(struct text *to, const struct dns_key *key);

#endif
