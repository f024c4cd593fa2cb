#include "zone/arena.h"

#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define FIRST_CHUNK	((size_t)4 << 10)	/* most zones are small */

/* A huge page by itself: fewer faults, and fewer misses when names are looked up. */
static char *
map_chunk(void)
{
	char *bytes = mmap(NULL, 2 * ARENA_CHUNK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (bytes == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)bytes & (ARENA_CHUNK - 1);
	if (before > 0)
		munmap(bytes, before);
	munmap(bytes + before + ARENA_CHUNK, ARENA_CHUNK - before);
	(void)madvise(bytes + before, ARENA_CHUNK, MADV_HUGEPAGE);
	return bytes + before;
}

static struct arena_chunk *
add_chunk(struct arena *arena, size_t least)
{
	struct arena_chunk chunk = { NULL, FIRST_CHUNK, 0, 0 };

	if (arena->count > 0) {
		arena->chunks[arena->count - 1].mark = arena->mark;
		chunk.size = arena->chunks[arena->count - 1].size * 4;
	}
	if (chunk.size > ARENA_CHUNK)
		chunk.size = ARENA_CHUNK;
	if (chunk.size < least)
		chunk.size = least;
	chunk.bytes = chunk.size == ARENA_CHUNK ? map_chunk() :
	    calloc(1, chunk.size);
	if (chunk.bytes == NULL)
		return NULL;
	arena->chunks = mem_resize(arena->chunks, arena->count + 1,
	    sizeof(chunk));
	arena->chunks[arena->count] = chunk;
	return &arena->chunks[arena->count++];
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena->count > 0 ?
	    &arena->chunks[arena->count - 1] : NULL;
	void *memory;

	size = (size + 7) & ~(size_t)7;
	if (chunk == NULL || chunk->size - chunk->used < size)
		chunk = add_chunk(arena, size);
	if (chunk == NULL)
		return NULL;
	memory = chunk->bytes + chunk->used;
	chunk->used += size;
	return memory;
}

static void
free_chunk(struct arena_chunk *chunk)
{
	if (chunk->size == ARENA_CHUNK)
		munmap(chunk->bytes, chunk->size);
	else
		free(chunk->bytes);
	chunk->bytes = NULL;
}

void
arena_release(struct arena *arena, size_t mark)
{
	while (arena->released + 1 < arena->count &&
	    arena->chunks[arena->released].mark < mark)
		free_chunk(&arena->chunks[arena->released++]);
}

void
arena_clear(struct arena *arena)
{
	for (size_t i = arena->released; i < arena->count; i++)
		free_chunk(&arena->chunks[i]);
	free(arena->chunks);
	memset(arena, 0, sizeof(*arena));
}
