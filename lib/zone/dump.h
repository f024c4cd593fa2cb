/* dump - a zone as a master file, in canonical order, as BIND writes it */

#ifndef ZONE_DUMP_H
#define ZONE_DUMP_H

#include <stdio.h>

#include "zone/zone.h"

enum dump_style {
	DUMP_FULL,		/* one record a line, with all that belongs to it */
	DUMP_RELATIVE,		/* for people: $ORIGIN, $TTL, and what does not follow from them */
};

/* Write all of it. 0, or -1 with errno. */
int	zone_dump(const struct zone *zone, enum dump_style style, FILE *to);

/* relative.c: the lines of one owner, whose RRsets are in their order. */
struct relative;
struct relative *relative_new(const struct zone *zone);
void	relative_put(struct relative *relative, const struct zone_owner *owner,
	    const struct zone_rrset *rrset, struct text *lines);
void	relative_begin_part(struct relative *relative);	/* $ORIGIN is said anew */
void	relative_free(struct relative **relative);

/*
 * wrap.c: data in lines that people can read. False: it has no such form. In
 * names that it has, the origin is cut off already; rdata is what data says.
 */
bool	wrap_put(uint16_t type, const uint8_t *rdata, size_t length,
	    const char *data, struct text *to);

/* Tabs and blanks up to a column; at least one. Gives the column. */
unsigned dump_indent(unsigned from, unsigned to, struct text *line);

#endif
