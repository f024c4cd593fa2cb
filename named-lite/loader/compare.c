#include "named-lite/loader/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "named-lite/records.h"

/* The SOA has a place of its own. */
struct collector {
	struct text *soas;
	char	 sign;		/* of it */
	struct text *others;
};

static void
append_record(void *argument, const struct record *record)
{
	struct collector *to = argument;
	struct record copy = *record;

	if (record->type != DNS_TYPE_SOA) {
		record_put(to->others, record);
		return;
	}
	copy.sign = to->sign;
	record_put(to->soas, &copy);
}

static bool
has_record(const struct text *in, const uint8_t *bytes, size_t length)
{
	struct record record;
	size_t at = 0, start = 0;

	while (record_next(&record, (const uint8_t *)in->bytes, in->length,
	    &at) == 1) {
		if (at - start == length &&
		    memcmp(in->bytes + start, bytes, length) == 0)
			return true;
		start = at;
	}
	return false;
}

/* Records of `in` that `without` lacks, with this sign. */
static void
put_missing(const struct text *in, const struct text *without, char sign,
    struct text *to)
{
	struct record record;
	size_t at = 0, start = 0;

	while (record_next(&record, (const uint8_t *)in->bytes, in->length,
	    &at) == 1) {
		if (!has_record(without, (const uint8_t *)in->bytes + start,
		    at - start)) {
			record.sign = sign;
			record_put(to, &record);
		}
		start = at;
	}
}

static bool
is_same_rrset(const struct image_rrset *a, const struct image_rrset *b)
{
	return a->count == b->count && a->length == b->length &&
	    a->pointers == b->pointers &&
	    memcmp(image_rrset_pointers(a), image_rrset_pointers(b),
	    a->pointers * sizeof(uint16_t)) == 0 &&
	    memcmp(image_rrset_octets(a), image_rrset_octets(b),
	    a->length) == 0;
}

static bool
is_same_node(const struct image_node *a, const struct image_node *b)
{
	const struct image_rrset *in_a = image_node_rrsets(a);
	const struct image_rrset *in_b = image_node_rrsets(b);

	if (a->rrset_count != b->rrset_count)
		return false;
	for (unsigned i = 0; i < a->rrset_count; i++) {
		if (in_a->type != in_b->type || !is_same_rrset(in_a, in_b))
			return false;
		in_a = image_rrset_next(in_a);
		in_b = image_rrset_next(in_b);
	}
	return true;
}

/* Either may be absent. */
static void
compare_nodes(struct comparison *c, const struct image_node *old,
    const struct image_node *new)
{
	struct collector one = { &c->soas[0], RECORD_REMOVED,
	    &c->one };
	struct collector other = { &c->soas[1], RECORD_ADDED,
	    &c->other };

	if (old != NULL && new != NULL && is_same_node(old, new))
		return;
	text_truncate(&c->one, 0);
	text_truncate(&c->other, 0);
	if (old != NULL)
		records_of_node(old, append_record, &one);
	if (new != NULL)
		records_of_node(new, append_record, &other);
	put_missing(&c->one, &c->other, RECORD_REMOVED, &c->gone);
	put_missing(&c->other, &c->one, RECORD_ADDED, &c->come);
}

/* One of the two zones, and those of its nodes that the other does not find. */
struct side {
	const struct image *image;
	uint32_t zone;			/* its number */
	const struct image_node *apex;
	const struct image_node *end;	/* behind the last */
	uint32_t node_count;
	const struct image_node **unmatched;
	size_t	 count, size;
};

static void
side_init(struct side *side, const struct image *image,
    const struct image_zone *zone)
{
	memset(side, 0, sizeof(*side));
	side->image = image;
	side->zone = zone - image_zone(image, 0);
	side->apex = image_at(image, zone->apex);
	side->node_count = zone->node_count;
}

/* The node of this name that questions find, NULL if it is not of this zone. */
static const struct image_node *
find_in(const struct side *side, const struct image_node *node)
{
	struct zone_path path;
	const struct image_node *found;
	unsigned skipped;
	place at;

	zone_path_init(&path, side->image->header->seed,
	    image_node_name(node), node->name_length);
	at = image_find(side->image, &path, &skipped);
	found = image_at(side->image, at);
	return at != 0 && skipped == 0 && found->zone == side->zone ? found :
	    NULL;
}

static void
note_unmatched(struct side *side, const struct image_node *node)
{
	if (side->count == side->size) {
		side->size = side->size == 0 ? 64 : 2 * side->size;
		side->unmatched = mem_resize(side->unmatched, side->size,
		    sizeof(side->unmatched[0]));
	}
	side->unmatched[side->count++] = node;
}

static int
order_nodes(const void *a, const void *b)
{
	return dns_name_compare(
	    image_node_name(*(const struct image_node *const *)a),
	    image_node_name(*(const struct image_node *const *)b));
}

/* Each node that both zones find is compared, with c; all others are noted. */
static void
match_nodes(struct comparison *c, struct side *mine, const struct side *other)
{
	const struct image_node *node = mine->apex;

	for (uint32_t i = 0; i < mine->node_count; i++) {
		const struct image_node *found = find_in(other, node);

		if (found == NULL || find_in(mine, node) != node)
			note_unmatched(mine, node);
		else if (c != NULL)
			compare_nodes(c, found, node);
		node = image_node_next(node);
	}
	mine->end = node;
	if (mine->count > 0)
		qsort(mine->unmatched, mine->count,
		    sizeof(mine->unmatched[0]), order_nodes);
}

/* Both are in order: the same names meet. */
static void
compare_unmatched(struct comparison *c, const struct side *old,
    const struct side *new)
{
	size_t i = 0, j = 0;

	while (i < old->count || j < new->count) {
		int order = i == old->count ? 1 : j == new->count ? -1 :
		    order_nodes(&old->unmatched[i], &new->unmatched[j]);

		compare_nodes(c, order <= 0 ? old->unmatched[i] : NULL,
		    order >= 0 ? new->unmatched[j] : NULL);
		i += order <= 0;
		j += order >= 0;
	}
}

size_t
compare_zones(struct comparison *c, const struct image *old,
    const struct image_zone *old_zone, const struct image *new,
    const struct image_zone *new_zone)
{
	struct side was, is;

	side_init(&was, old, old_zone);
	side_init(&is, new, new_zone);
	match_nodes(NULL, &was, &is);
	match_nodes(c, &is, &was);
	compare_unmatched(c, &was, &is);
	free(was.unmatched);
	free(is.unmatched);
	return (const uint8_t *)is.end - (const uint8_t *)is.apex;
}

void
comparison_clear(struct comparison *c)
{
	text_clear(&c->soas[0]);
	text_clear(&c->soas[1]);
	text_clear(&c->gone);
	text_clear(&c->come);
	text_clear(&c->one);
	text_clear(&c->other);
}
