/*
 * relative - a zone as people like to read it, and as BIND writes it by default
 *
 * A name is shortened by the closest name above it that has records or
 * several names below: that is $ORIGIN. Names in data are shortened by the
 * same, as far as they stand between blanks (not inside of quotes).
 */

#include "zone/dump.h"

#include <stdlib.h>
#include <string.h>

#define CLASS_COLUMN	24
#define DATA_COLUMN	32

struct relative {
	const struct zone *zone;
	uint32_t *children;		/* how many names stand right below each owner */
	struct zone_owner const **owners;	/* by number */
	const struct zone_owner *owner;	/* of the last line */
	char	 origin[DNS_NAME_TEXT];
	int64_t	 ttl;			/* of the last $TTL; -1 none yet */
	bool	 has_class;		/* it stood somewhere */
};

struct relative *
relative_new(const struct zone *zone)
{
	struct relative *r = mem_zalloc(1, sizeof(*r));

	r->zone = zone;
	r->ttl = -1;
	r->children = mem_zalloc(zone->owner_count, sizeof(*r->children));
	r->owners = mem_zalloc(zone->owner_count, sizeof(struct zone_owner *));
	for (const struct zone_owner *owner = zone->first; owner != NULL;
	    owner = zone_next(owner)) {
		r->owners[owner->number] = owner;
		if (!zone_is_apex(owner))
			r->children[owner->parent]++;
	}
	return r;
}

void
relative_free(struct relative **relative)
{
	struct relative *r = *relative;

	if (r == NULL)
		return;
	free(r->children);
	free(r->owners);
	free(r);
	*relative = NULL;
}

void
relative_begin_part(struct relative *r)
{
	r->origin[0] = '\0';
	r->owner = NULL;
}

/* "." for the apex. */
static void
find_origin(const struct relative *r, const struct zone_owner *owner,
    char text[DNS_NAME_TEXT])
{
	strlcpy(text, ".", DNS_NAME_TEXT);
	while (!zone_is_apex(owner)) {
		owner = r->owners[owner->parent];
		if (owner->rrsets == NULL && r->children[owner->number] < 2 &&
		    !zone_is_apex(owner))
			continue;
		dns_name_print(owner->name, text);
		return;
	}
}

/* How much of a name is left in front of the origin; all of it, with its last dot, if it is not below. */
static size_t
shorten(const struct relative *r, const char *name, size_t length)
{
	size_t origin = strlen(r->origin), at = length - origin;
	size_t escapes = 0;

	if (origin == 1 || length < origin + 2 || name[at - 1] != '.' ||
	    memcmp(name + at, r->origin, origin) != 0)
		return length;
	while (escapes < at - 1 && name[at - 2 - escapes] == '\\')
		escapes++;
	return escapes % 2 == 0 ? at - 1 : length;
}

/* Up to a blank or a quote that is not escaped, as they may be in names. */
static size_t
word_length(const char *data)
{
	size_t length = 0;

	while (data[length] != '\0' && strchr(" \t\"", data[length]) == NULL)
		length += data[length] == '\\' && data[length + 1] != '\0' ?
		    2 : 1;
	return length;
}

/* Words of data that end with the origin are names: nothing else outside of quotes ends with a dot. */
static void
put_data(const struct relative *r, const char *data, struct text *to)
{
	while (*data != '\0') {
		size_t length = word_length(data);

		if (*data == '"') {
			for (length = 1; data[length] != '\0' &&
			    data[length] != '"'; length++)
				if (data[length] == '\\')
					length++;
			length += data[length] == '"';
			text_append(to, data, length);
		} else if (length == 0)
			text_append(to, data, length = 1);
		else
			text_append(to, data, shorten(r, data, length));
		data += length;
	}
}

/* "1 day 2 hours" */
static void
put_time(uint32_t seconds, struct text *to)
{
	static const struct {
		uint32_t size;
		const char *name;
	} units[] = { { 604800, "week" }, { 86400, "day" }, { 3600, "hour" },
	    { 60, "minute" }, { 1, "second" } };
	bool is_first = true;

	for (size_t i = 0; i < COUNT_OF(units); i++) {
		uint32_t count = seconds / units[i].size;

		seconds %= units[i].size;
		if (count == 0 && (!is_first || units[i].size > 1))
			continue;
		text_printf(to, "%s%u %s%s", is_first ? "" : " ", count,
		    units[i].name, count == 1 ? "" : "s");
		is_first = false;
	}
}

/* Its numbers stand below each other, with what they mean. */
static void
put_soa(const struct relative *r, const struct zone_rdata *rdata,
    const char *data, struct text *to)
{
	static const char *const meanings[] = { "serial", "refresh", "retry",
	    "expire", "minimum" };
	const uint8_t *numbers = rdata->octets + rdata->length - 20;
	size_t names = strcspn(data, " ");
	struct text text = TEXT_EMPTY;

	names += 1 + strcspn(data + names + 1, " ");
	text_append(&text, data, names);
	put_data(r, text_string(&text), to);
	text_clear(&text);
	text_puts(to, " (\n");
	for (size_t i = 0; i < COUNT_OF(meanings); i++) {
		uint32_t number = dns_get32(numbers + 4 * i);

		text_printf(to, "\t\t\t\t%-10u ; %s", number, meanings[i]);
		if (i > 0) {
			text_puts(to, " (");
			put_time(number, to);
			text_putc(to, ')');
		}
		text_putc(to, '\n');
	}
	text_puts(to, "\t\t\t\t)");
}

static void
put_wrapped(const struct relative *r, uint16_t type,
    const struct zone_rdata *rdata, const char *data, struct text *to)
{
	struct text text = TEXT_EMPTY;

	/* BIND leaves these names whole. */
	if (type == DNS_TYPE_IPSECKEY || type == DNS_TYPE_HIP ||
	    type == DNS_TYPE_AMTRELAY || type == DNS_TYPE_NSEC)
		text_puts(&text, data);
	else
		put_data(r, data, &text);
	if (!wrap_put(type, rdata->octets, rdata->length, text_string(&text),
	    to))
		text_puts(to, text_string(&text));
	text_clear(&text);
}

static void
put_record(struct relative *r, const struct zone_owner *owner,
    const struct zone_rrset *rrset, const struct zone_rdata *rdata,
    struct text *to)
{
	char name[DNS_NAME_TEXT], type[DNS_MNEMONIC_MAX];
	struct text data = TEXT_EMPTY;
	unsigned column = 0;

	if (owner != r->owner) {
		size_t length = strlen(dns_name_print(owner->name, name));

		length = strcmp(r->origin, ".") == 0 && length > 1 ?
		    length - 1 : shorten(r, name, length);
		text_append(to, name, length);
		column = length;
	}
	r->owner = owner;
	column = dump_indent(column, CLASS_COLUMN, to);
	if (!r->has_class) {
		text_puts(to, "IN ");
		column += 3;
	}
	r->has_class = true;
	dns_type_print(rrset->type, type);
	text_puts(to, type);
	dump_indent(column + strlen(type), DATA_COLUMN, to);
	dns_rdata_print(rrset->type, rdata->octets, rdata->length, &data);
	if (rrset->type == DNS_TYPE_SOA)
		put_soa(r, rdata, text_string(&data), to);
	else
		put_wrapped(r, rrset->type, rdata, text_string(&data), to);
	text_clear(&data);
	text_putc(to, '\n');
}

void
relative_put(struct relative *r, const struct zone_owner *owner,
    const struct zone_rrset *rrset, struct text *lines)
{
	char origin[DNS_NAME_TEXT];

	find_origin(r, owner, origin);
	if (strcmp(origin, r->origin) != 0) {
		text_printf(lines, "$ORIGIN %s\n", origin);
		strlcpy(r->origin, origin, sizeof(r->origin));
	}
	if (r->ttl != rrset->ttl) {
		text_printf(lines, "$TTL %u\t; ", rrset->ttl);
		put_time(rrset->ttl, lines);
		text_putc(lines, '\n');
		r->ttl = rrset->ttl;
	}
	for (const struct zone_rdata *rdata = rrset->first; rdata != NULL;
	    rdata = rdata->next)
		put_record(r, owner, rrset, rdata, lines);
}
