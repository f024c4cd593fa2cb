#include "zone/dump.h"

#include <stdlib.h>
#include <string.h>

#define TTL_COLUMN	46
#define DATA_COLUMN	64

unsigned
dump_indent(unsigned from, unsigned to, struct text *line)
{
	if (to <= from)
		to = from + 1;
	for (; from / 8 < to / 8; from = (from / 8 + 1) * 8)
		text_putc(line, '\t');
	for (; from < to; from++)
		text_putc(line, ' ');
	return to;
}

static void
put_record(const struct zone_owner *owner, const struct zone_rrset *rrset,
    const struct zone_rdata *rdata, struct text *line)
{
	char name[DNS_NAME_TEXT], type[DNS_MNEMONIC_MAX];
	size_t start = line->length;
	unsigned column;

	text_puts(line, dns_name_print(owner->name, name));
	column = dump_indent(line->length - start, TTL_COLUMN, line);
	start = line->length;
	text_printf(line, "%u", rrset->ttl);
	column = dump_indent(column + line->length - start, 0, line);
	text_puts(line, "IN");
	column = dump_indent(column + 2, 0, line);
	text_puts(line, dns_type_print(rrset->type, type));
	dump_indent(column + strlen(type), DATA_COLUMN, line);
	dns_rdata_print(rrset->type, rdata->octets, rdata->length, line);
	text_putc(line, '\n');
}

static int
compare_owners(const void *a, const void *b)
{
	return dns_name_compare((*(struct zone_owner *const *)a)->name,
	    (*(struct zone_owner *const *)b)->name);
}

/* SOA and NS first, signatures behind what they sign. */
static unsigned
rank(const struct zone_rrset *rrset)
{
	uint16_t covers = zone_covers(rrset);
	uint16_t type = covers != 0 ? covers : rrset->type;

	return 2 * (type == DNS_TYPE_SOA ? 0 : type == DNS_TYPE_NS ? 1 :
	    type + 2u) + (covers != 0);
}

static int
compare_rrsets(const void *a, const void *b)
{
	return (int)rank(*(struct zone_rrset *const *)a) -
	    (int)rank(*(struct zone_rrset *const *)b);
}

/* relative is NULL for the full style. */
static int
dump_owner(const struct zone_owner *owner, struct relative *relative, FILE *to)
{
	struct text lines = TEXT_EMPTY;
	const struct zone_rrset **rrsets;
	size_t count = 0, i = 0;
	int result = 0;

	for (const struct zone_rrset *at = owner->rrsets; at != NULL;
	    at = at->next)
		count++;
	rrsets = mem_zalloc(count + 1, sizeof(*rrsets));
	for (const struct zone_rrset *at = owner->rrsets; at != NULL;
	    at = at->next)
		rrsets[i++] = at;
	qsort(rrsets, count, sizeof(*rrsets), compare_rrsets);
	for (i = 0; i < count; i++) {
		if (relative != NULL)
			relative_put(relative, owner, rrsets[i], &lines);
		for (const struct zone_rdata *rdata = rrsets[i]->first;
		    rdata != NULL && relative == NULL; rdata = rdata->next)
			put_record(owner, rrsets[i], rdata, &lines);
	}
	if (lines.length > 0 &&
	    fwrite(lines.bytes, lines.length, 1, to) != 1)
		result = -1;
	text_clear(&lines);
	free(rrsets);
	return result;
}

/* Names that are hashes stand behind all others. */
static bool
is_of_chain(const struct zone_owner *owner)
{
	return zone_find_rrset(owner, DNS_TYPE_NSEC3) != NULL;
}

int
zone_dump(const struct zone *zone, enum dump_style style, FILE *to)
{
	const struct zone_owner **owners = mem_zalloc(zone->owner_count + 1,
	    sizeof(*owners));
	struct relative *relative = style == DUMP_RELATIVE ?
	    relative_new(zone) : NULL;
	size_t count = 0;
	int result = 0;

	for (const struct zone_owner *owner = zone->first; owner != NULL;
	    owner = zone_next(owner))
		owners[count++] = owner;
	qsort(owners, count, sizeof(*owners), compare_owners);
	for (int part = 0; part < 2 && result == 0; part++) {
		if (part == 1 && relative != NULL)
			relative_begin_part(relative);
		for (size_t i = 0; i < count && result == 0; i++)
			if (is_of_chain(owners[i]) == (part == 1))
				result = dump_owner(owners[i], relative, to);
	}
	relative_free(&relative);
	free(owners);
	return fflush(to) == 0 ? result : -1;
}
