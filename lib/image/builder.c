#include "image/builder.h"

#include <sys/mman.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

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
