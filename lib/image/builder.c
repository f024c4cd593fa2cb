#include "image/builder.h"

#include <sys/mman.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "zone/path.h"

#define GROW_MIN	((size_t)1 << 20)

size_t
builder_take(struct builder *b, size_t length)
{
	size_t at = b->used, need = at + image_align(length);

	if (b->error != 0)
		return 0;
	if (need > b->size) {
		size_t size = b->size + b->size / 4 + GROW_MIN;
		void *base;

		if (size < need)
			size = need + GROW_MIN;
		if (ftruncate(b->fd, size) == -1) {
			b->error = errno;
			return 0;
		}
		base = b->base == NULL ? mmap(NULL, size,
		    PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0) :
		    mremap(b->base, b->size, size, MREMAP_MAYMOVE);
		if (base == MAP_FAILED) {
			b->error = errno;
			return 0;
		}
		b->base = base;
		b->size = size;
		(void)madvise(base, size, MADV_HUGEPAGE);
	}
	b->used = need;
	return at;
}

size_t
builder_append(struct builder *b, const void *bytes, size_t length)
{
	size_t at = builder_take(b, length);

	if (at != 0 && length > 0)
		memcpy(b->base + at, bytes, length);
	return at;
}

static struct image_slot *
first_slot(struct builder *b, uint64_t hash)
{
	struct image_slot *slots = (struct image_slot *)(b->base +
	    (size_t)builder_header(b)->slots * 4);

	return slots + (hash >> 32 & builder_header(b)->slot_mask);
}

void
builder_flush(struct builder *b)
{
	struct image_slot *slots = (struct image_slot *)(b->base +
	    (size_t)builder_header(b)->slots * 4);
	uint32_t mask = builder_header(b)->slot_mask;
	place grave = builder_header(b)->grave;

	for (unsigned i = 0; i < b->entry_count; i++) {
		uint64_t hash = b->entries[i].hash;
		uint32_t at = hash >> 32 & mask;

		while (slots[at].node != 0 && slots[at].node != grave)
			at = (at + 1) & mask;
		b->slots_taken += slots[at].node == 0;
		slots[at] = (struct image_slot) { (uint32_t)hash,
		    b->entries[i].node };
	}
	b->entry_count = 0;
}

void
builder_insert(struct builder *b, const struct zone_suffix *suffix,
    const uint8_t *name, size_t length, place node)
{
	struct zone_path path;

	zone_path_init_below(&path, builder_header(b)->seed, name, length,
	    suffix);
	if (path.labels > b->labels_max)
		b->labels_max = path.labels;
	__builtin_prefetch(first_slot(b, path.hashes[0]), 1);
	b->entries[b->entry_count++] = (struct builder_entry) {
	    path.hashes[0], node };
	if (b->entry_count == BUILDER_ENTRIES)
		builder_flush(b);
}
