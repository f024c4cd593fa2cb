/*
 * arena - memory of a zone: only ever more of it, given back from the start
 *
 * A zone of a million names is read into it and then written to an image,
 * in the order in which it was read. What was written is given back at once,
 * so that both together need little more than the image alone.
 */

#ifndef ZONE_ARENA_H
#define ZONE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define ARENA_CHUNK	((size_t)2 << 20)	/* the largest, a huge page */

struct arena_chunk {
	char	*bytes;
	size_t	 size;
	size_t	 used;
	size_t	 mark;		/* arena_mark() when it was full */
};

struct arena {
	struct arena_chunk *chunks;
	size_t	 count;
	size_t	 released;	/* chunks that are gone, from the start */
	size_t	 mark;
};

/* Zeros, at a multiple of eight; NULL without memory. At most half a chunk unless it is the only thing in its own. */
void	*arena_alloc(struct arena *arena, size_t size);

/* What is allocated from now on belongs to step mark or later ones. */
static inline void
arena_mark(struct arena *arena, size_t mark)
{
	arena->mark = mark;
}

/* Give back what belongs to steps before mark alone. */
void	arena_release(struct arena *arena, size_t mark);

void	arena_clear(struct arena *arena);

#endif
