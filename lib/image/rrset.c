#include "image/rrset.h"

#include <string.h>

#include "base/copy.h"

#define LABELS_KNOWN	128	/* names in the RRset that later ones may point at */
#define OCTETS_MAX	65000	/* the rest of an answer needs room too */

struct compiler {
	struct rrset_octets *to;
	size_t	 used;
	const struct dns_name *apex;
	const struct zone_owner *owner;
	bool	 is_wildcard;	/* whose owner is another name in each answer */
	struct {
		const uint8_t *name;
		uint16_t code;
	} known[LABELS_KNOWN];
	size_t	 known_count;
	bool	 is_too_long;
};

static void
put(struct compiler *c, const void *bytes, size_t length)
{
	if (OCTETS_MAX - c->used < length) {
		c->is_too_long = true;
		return;
	}
	copy_few(c->to->bytes + c->used, bytes, length);
	c->used += length;
}

static void
put16(struct compiler *c, uint16_t value)
{
	uint8_t octets[2];

	dns_put16(octets, value);
	put(c, octets, 2);
}

static void
put_pointer(struct compiler *c, uint16_t code)
{
	if (!c->is_too_long)
		c->to->pointers[c->to->pointer_count++] = c->used;
	put16(c, code);
}

static uint16_t
owner_code(const struct compiler *c)
{
	return c->owner->length == c->apex->length ? c->apex->length :
	    IMAGE_OWNER;
}

/* The code of a name that stands somewhere already, letter by letter; 0 if none does. */
static uint16_t
find_code(const struct compiler *c, const uint8_t *name)
{
	size_t length = dns_name_length(name);

	if (*name == 0)
		return 0;
	if (!c->is_wildcard && length == c->owner->length &&
	    memcmp(name, c->owner->name, length) == 0)
		return owner_code(c);
	if (length <= c->apex->length && memcmp(name, c->apex->bytes +
	    c->apex->length - length, length) == 0)
		return length;
	for (size_t i = 0; i < c->known_count; i++)
		if (dns_name_length(c->known[i].name) == length &&
		    memcmp(c->known[i].name, name, length) == 0)
			return c->known[i].code;
	return 0;
}

/* Write a name, cut short by a pointer where that is allowed. Gives the code of its place. */
static uint16_t
put_name(struct compiler *c, const uint8_t *name, bool may_compress)
{
	uint16_t code = find_code(c, name);
	uint16_t start = IMAGE_BLOCK + c->used;
	bool is_far = c->used > IMAGE_BLOCK_MAX;

	if (code != 0 && may_compress) {
		put_pointer(c, code);
		return code;
	}
	for (; *name != 0; name += *name + 1) {
		code = find_code(c, name);
		if (code != 0 && may_compress) {
			put_pointer(c, code);
			return is_far ? 0 : start;
		}
		if (c->used <= IMAGE_BLOCK_MAX && c->known_count < LABELS_KNOWN) {
			c->known[c->known_count].name = name;
			c->known[c->known_count++].code = IMAGE_BLOCK + c->used;
		}
		put(c, name, *name + 1);
	}
	put(c, "", 1);
	return is_far ? 0 : start;
}

/* Gives the code of the place of the last name in it. */
static uint16_t
put_rdata(struct compiler *c, uint16_t type, const struct zone_rdata *rdata)
{
	size_t length_at = c->used;
	const uint8_t *at = rdata->octets;
	size_t left = rdata->length;
	uint16_t code = 0;

	put16(c, 0);
	for (const char *field = dns_type_fields(type); left > 0; field++) {
		size_t size = *field != '\0' ?
		    dns_field_size(*field, at, left) : left;

		if (size == 0)
			size = left;
		if (*field == 'N' || *field == 'n')
			code = put_name(c, at, *field == 'N');
		else
			put(c, at, size);
		at += size;
		left -= size;
		if (*field == '\0')
			break;
	}
	if (!c->is_too_long)
		dns_put16(c->to->bytes + length_at, c->used - length_at - 2);
	return code;
}

/* known[] is long, and mostly nothing comes into it. */
static void
begin(struct compiler *c, struct rrset_octets *to,
    const struct dns_name *apex, const struct zone_owner *owner)
{
	c->to = to;
	c->used = 0;
	c->apex = apex;
	c->owner = owner;
	c->is_wildcard = owner->name[0] == 1 && owner->name[1] == '*';
	c->known_count = 0;
	c->is_too_long = false;
}

/* What follows the owner in each record: type, class, time to live. */
static void
make_head(uint8_t head[8], uint16_t type, uint32_t ttl)
{
	dns_put16(head, type);
	dns_put16(head + 2, DNS_CLASS_IN);
	dns_put16(head + 4, ttl >> 16);
	dns_put16(head + 6, ttl & 0xffff);
}

void
rrset_compile(struct rrset_octets *to, const struct dns_name *apex,
    const struct zone_owner *owner, const struct zone_rrset *rrset,
    uint32_t ttl)
{
	struct compiler c;
	uint8_t head[8];
	unsigned i = 0;

	begin(&c, to, apex, owner);
	make_head(head, rrset->type, ttl);
	to->pointer_count = 0;
	to->record_length = 0;
	for (const struct zone_rdata *rdata = rrset->first; rdata != NULL &&
	    !c.is_too_long; rdata = rdata->next, i++) {
		put_pointer(&c, owner_code(&c));
		put(&c, head, sizeof(head));
		to->target_at[i] = put_rdata(&c, rrset->type, rdata);
	}
	to->length = c.is_too_long ? 0 : c.used;
	if (c.is_too_long)
		to->pointer_count = 0;
	else if (rrset->type == DNS_TYPE_A || rrset->type == DNS_TYPE_AAAA)
		to->record_length = c.used / rrset->count;
}
