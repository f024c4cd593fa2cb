/*
 * rewrite - addresses become other addresses: by their form, and by tables
 *
 * form.c   what is short is completed: trivial-rewrite(8)'s rules
 * map.c    an address for an address: canonical(5), generic(5), virtual(5)
 * field.c  the addresses that stand in a header field
 *
 * Addresses are internal ones (address/address.h).
 */

#ifndef REWRITE_REWRITE_H
#define REWRITE_REWRITE_H

#include <stdbool.h>

#include "base/text.h"
#include "message/header.h"
#include "table/maps.h"

/* As whose address a short one is completed. */
enum rewrite_context { REWRITE_LOCAL, REWRITE_REMOTE };

/*
 * The standard form of an address: what is short is completed, old
 * ways to write a route become user@domain. "" stays "". The result replaces out.
 */
void	rewrite_address(enum rewrite_context context, const char *address,
	    struct text *out);

/* Where an address stands: the words of canonical_classes and masquerade_classes, as bits. */
enum {
	REWRITE_ENVELOPE_SENDER		= 1 << 0,
	REWRITE_ENVELOPE_RECIPIENT	= 1 << 1,
	REWRITE_HEADER_SENDER		= 1 << 2,
	REWRITE_HEADER_RECIPIENT	= 1 << 3,
};

/* The bits of a list of these words; others are told in the log. */
int	rewrite_classes(const char *parameter, const char *list);

/* Before the sandbox closes: opens mydestination, whose users may stand bare in tables. */
void	rewrite_open(void);

/* Does propagate_unmatched_extensions have this word: user+ext that was found as user hands ext on? */
bool	rewrite_propagates(const char *word);

/* maps_find_address() for an address of any domain: *value is released with free(3). */
enum table_answer rewrite_look_up(struct maps *maps, const char *address,
	    char **value, struct text *extension);

/* A value "@domain" means the same user there; of user+extension that was found as user, user. Others stay. */
void	rewrite_keep_user(const char *value, const char *address,
	    const char *extension, struct text *out);

/* user@domain becomes user+extension@domain, extension with its delimiter. */
void	rewrite_add_extension(struct text *address, const char *extension);

/* The standard form of a table's address, in out. 0, or -1: nobody knows now. */
typedef int rewrite_complete(const char *address, struct text *out);

/*
 * One step: in address is then what maps have for it. *changed is set when
 * that is another. TABLE_ERROR also when complete() failed.
 */
enum table_answer rewrite_map(struct maps *maps, struct text *address,
	    bool propagates, rewrite_complete *complete, bool *changed);

/* Does the field hold addresses? REWRITE_HEADER_SENDER, REWRITE_HEADER_RECIPIENT, or 0. */
int	rewrite_field_class(const struct header_field *field);

/* What becomes of an address; -1 ends it. */
typedef int rewrite_change(struct text *address, void *argument);

/*
 * Append the field with each of its addresses changed, or as it is if none is. False: change() gave
 * -1, and what was appended is not whole.
 */
bool	rewrite_field(struct text *out, const struct header_field *field,
	    rewrite_change *change, void *argument);

/* Append the field as it is, its name and colon together, as one that has "Subject : x" is not. */
void	rewrite_put_field(struct text *out, const struct header_field *field);

#endif
