#include "named-lite/reply.h"

#include <string.h>

#define POINTER_MAX	0x3fff

size_t
reply_target_at(const struct reply_rrset *in, uint16_t code)
{
	size_t at;

	if (code == IMAGE_OWNER)
		at = in->owner;
	else if (code < IMAGE_OWNER)
		at = in->suffix_end - code;
	else
		at = in->base + (code - IMAGE_BLOCK);
	return at <= POINTER_MAX ? at : 0;
}

/* Set the pointers of a copy at `at` (whose octet 0 would be at in->base). False if one cannot reach. */
static bool
set_pointers(uint8_t *out, const struct reply_rrset *in, unsigned first)
{
	const struct image_rrset *rrset = in->rrset;
	const uint16_t *pointers = image_rrset_pointers(rrset);
	const uint8_t *octets = image_rrset_octets(rrset);

	for (unsigned i = first; i < rrset->pointers; i++) {
		size_t target = reply_target_at(in,
		    dns_get16(octets + pointers[i]));

		if (target == 0)
			return false;
		dns_put16(out + in->base + pointers[i], 0xc000 | target);
	}
	return true;
}

/* Records of one size and without inner pointers may begin with any of them. */
static void
copy_rotated(uint8_t *to, const struct image_rrset *rrset, unsigned rotation)
{
	const uint8_t *octets = image_rrset_octets(rrset);
	size_t skip = rotation % rrset->count * rrset->record_length;

	memcpy(to, octets + skip, rrset->length - skip);
	memcpy(to + rrset->length - skip, octets, skip);
}

/* How many of the last octets of a name stand in the reply already: the zone's name, or none. */
static size_t
find_tail(const struct reply *reply, const uint8_t *name, size_t length)
{
	size_t tail = reply->zone_length;

	if (tail < 3 || tail > length || reply->suffix_end > POINTER_MAX ||
	    memcmp(reply->out + reply->suffix_end - tail, name + length - tail,
	    tail) != 0)
		return 0;
	return tail;
}

/*
 * Write an owner's name, so that it ends where the RRset begins or, with its
 * last pointer, two octets behind that. *in tells where the RRset begins.
 */
static void
put_owner(struct reply *reply, const uint8_t *name, struct reply_rrset *in)
{
	size_t length = dns_name_length(name);
	size_t tail = find_tail(reply, name, length);
	size_t own = tail > 0 ? length - tail : length - 2;
	uint8_t *to = reply->out + reply->used;

	in->owner = reply->used;
	in->base = reply->used + own;
	if (tail > 0) {
		memcpy(to, name, own);
		dns_put16(to + own, 0xc000 | (reply->suffix_end - tail));
	} else {
		memcpy(to, name, length);
		in->suffix_end = reply->used + length;
	}
}

/* Copy an RRset to the end; *in tells where it is. False if there is no room: nothing has changed. */
static bool
put_rrset(struct reply *reply, enum reply_section section,
    const struct image_rrset *rrset, size_t owner, const uint8_t *spelled,
    struct reply_rrset *in)
{
	size_t extra = owner == 0 ? dns_name_length(spelled) - 2 : 0;
	uint8_t first[2];
	uint8_t *to;

	*in = (struct reply_rrset) { rrset, reply->used, owner,
	    reply->suffix_end, section };
	if (rrset->length == 0 ||
	    reply->limit - reply->used < rrset->length + extra)
		return false;
	if (owner == 0)
		put_owner(reply, spelled, in);
	to = reply->out + in->base;
	memcpy(first, to, 2);
	if (rrset->count > 1 && rrset->record_length > 0 && owner != 0)
		copy_rotated(to, rrset, reply->rotation);
	else
		memcpy(to, image_rrset_octets(rrset), rrset->length);
	if (!set_pointers(reply->out, in, owner == 0 ? 1 : 0))
		return false;
	if (owner == 0)
		memcpy(to, first, 2);
	reply->used = in->base + rrset->length;
	reply->suffix_end = in->suffix_end;
	reply->counts[section] += rrset->count;
	return true;
}

bool
reply_add(struct reply *reply, enum reply_section section,
    const struct image_rrset *rrset, size_t owner, const uint8_t *spelled)
{
	size_t used = reply->used;
	uint16_t suffix_end = reply->suffix_end;
	struct reply_rrset in, signatures;

	if (!put_rrset(reply, section, rrset, owner, spelled, &in))
		return false;
	if (reply->has_signatures && rrset->is_signed &&
	    !put_rrset(reply, section, image_rrset_next(rrset), in.owner, NULL,
	    &signatures)) {
		reply->used = used;
		reply->suffix_end = suffix_end;
		reply->counts[section] -= rrset->count;
		return false;
	}
	if (reply->rrset_count < REPLY_RRSETS_MAX)
		reply->rrsets[reply->rrset_count++] = in;
	return true;
}

bool
reply_has(const struct reply *reply, const struct image_rrset *rrset)
{
	for (unsigned i = 0; i < reply->rrset_count; i++)
		if (reply->rrsets[i].rrset == rrset)
			return true;
	return reply->rrset_count == REPLY_RRSETS_MAX;
}

bool
reply_add_record(struct reply *reply, enum reply_section section, size_t owner,
    uint16_t type, uint16_t class, uint32_t ttl, const uint8_t *rdata,
    size_t length)
{
	uint8_t *to = reply->out + reply->used;

	if (reply->limit - reply->used < 12 + length)
		return false;
	dns_put16(to, 0xc000 | owner);
	dns_put16(to + 2, type);
	dns_put16(to + 4, class);
	dns_put32(to + 6, ttl);
	dns_put16(to + 10, length);
	memcpy(to + 12, rdata, length);
	reply->used += 12 + length;
	reply->counts[section]++;
	return true;
}
