#include "zone/path.h"

#include <string.h>

static inline uint64_t
fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* One label and its length octet, onto the hash of what follows it. The octets behind the name are zeros. */
static inline uint64_t
hash_label(uint64_t hash, const uint64_t seed[2], const uint8_t *label)
{
	size_t left = 1 + (size_t)*label;

	while (left > 0) {
		size_t take = left < 8 ? left : 8;
		uint64_t word;

		memcpy(&word, label, 8);
		if (take < 8)
			word &= (UINT64_C(1) << take * 8) - 1;
		hash = fold(hash ^ word ^ seed[0], seed[1]);
		label += take;
		left -= take;
	}
	return hash;
}

/* The hashes of so many labels that stand before a suffix with this hash. */
static inline void
hash_labels(struct zone_path *path, const uint64_t seed[2], unsigned labels,
    uint64_t hash)
{
	path->hashes[labels] = hash;
	while (labels-- > 0) {
		hash = hash_label(hash, seed, path->name + path->starts[labels]);
		path->hashes[labels] = hash;
	}
}

void
zone_path_init(struct zone_path *path, const uint64_t seed[2],
    const uint8_t *wire, size_t length)
{
	unsigned labels = 0;

	dns_name_lower(path->name, wire, length);
	memset(path->name + length, 0, 8);
	for (size_t at = 0; path->name[at] != 0; at += path->name[at] + 1)
		path->starts[labels++] = at;
	path->starts[labels] = length - 1;
	path->labels = labels;
	hash_labels(path, seed, labels, seed[0]);
}

void
zone_suffix_init(struct zone_suffix *suffix, const uint64_t seed[2],
    const uint8_t *wire)
{
	struct zone_path path;

	suffix->length = dns_name_length(wire);
	zone_path_init(&path, seed, wire, suffix->length);
	suffix->labels = path.labels;
	suffix->hash = path.hashes[0];
	memcpy(suffix->bytes, wire, suffix->length);
}

void
zone_path_init_below(struct zone_path *path, const uint64_t seed[2],
    const uint8_t *wire, size_t length, const struct zone_suffix *suffix)
{
	size_t before = length - suffix->length, at = 0;
	unsigned labels = 0;

	if (length < suffix->length || memcmp(wire + before, suffix->bytes,
	    suffix->length) != 0) {
		zone_path_init(path, seed, wire, length);
		return;
	}
	dns_name_lower(path->name, wire, length);
	memset(path->name + length, 0, 8);
	for (; at < before; at += path->name[at] + 1)
		path->starts[labels++] = at;
	if (at != before) {
		zone_path_init(path, seed, wire, length);
		return;
	}
	path->starts[labels] = before;
	path->starts[labels + suffix->labels] = length - 1;
	path->labels = labels + suffix->labels;
	hash_labels(path, seed, labels, suffix->hash);
}
