#include "base/pool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Small enough that ten thousand sessions with one block each stay small. */
#define FIRST_BLOCK	960
#define LARGEST_BLOCK	65536

struct block {
	struct block	*next;
	size_t		 size;		/* of room[] */
	size_t		 used;
	alignas(max_align_t) char room[];
};

struct pool {
	struct block	*blocks;	/* the newest first */
	size_t		 limit;
	size_t		 used;
};

struct pool *
pool_new(size_t limit)
{
	struct pool *pool = mem_zalloc(1, sizeof(*pool));

	pool->limit = limit;
	return pool;
}

static void
free_blocks(struct block *block)
{
	while (block != NULL) {
		struct block *next = block->next;

		free(block);
		block = next;
	}
}

void
pool_free(struct pool **pool)
{
	if (*pool == NULL)
		return;
	free_blocks((*pool)->blocks);
	free(*pool);
	*pool = NULL;
}

void
pool_reset(struct pool *pool)
{
	struct block *first = pool->blocks;

	if (first != NULL) {
		free_blocks(first->next);
		first->next = NULL;
		if (first->size > LARGEST_BLOCK) {
			free(first);
			pool->blocks = NULL;
		} else {
			memset(first->room, 0, first->used);
			first->used = 0;
		}
	}
	pool->used = 0;
}

static struct block *
add_block(struct pool *pool, size_t at_least)
{
	size_t size = FIRST_BLOCK;

	if (pool->blocks != NULL)
		size = pool->blocks->size * 2;
	if (size > LARGEST_BLOCK)
		size = LARGEST_BLOCK;
	if (size < at_least)
		size = at_least;

	struct block *block = calloc(1, sizeof(*block) + size);

	if (block == NULL)
		return NULL;
	block->size = size;
	block->next = pool->blocks;
	pool->blocks = block;
	return block;
}

void *
pool_alloc(struct pool *pool, size_t size)
{
	const size_t unit = alignof(max_align_t);

	if (size > SIZE_MAX - sizeof(struct block) - unit) {
		errno = ENOMEM;
		return NULL;
	}
	size = (size + unit - 1) / unit * unit;
	if (size == 0)
		size = unit;
	if (pool->limit > 0 && size > pool->limit - pool->used) {
		errno = ENOMEM;
		return NULL;
	}

	struct block *block = pool->blocks;

	if (block == NULL || block->size - block->used < size)
		block = add_block(pool, size);
	if (block == NULL)
		return NULL;

	void *memory = block->room + block->used;

	block->used += size;
	pool->used += size;
	return memory;
}

char *
pool_strdup(struct pool *pool, const char *string)
{
	return pool_strndup(pool, string, strlen(string));
}

char *
pool_strndup(struct pool *pool, const char *text, size_t length)
{
	char *copy = pool_alloc(pool, length + 1);

	if (copy != NULL)
		memcpy(copy, text, length);
	return copy;
}

char *
pool_printf(struct pool *pool, const char *format, ...)
{
	va_list arguments, again;

	va_start(arguments, format);
	va_copy(again, arguments);

	int length = vsnprintf(NULL, 0, format, arguments);
	char *text = NULL;

	if (length >= 0)
		text = pool_alloc(pool, (size_t)length + 1);
	if (text != NULL)
		vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	va_end(arguments);
	return text;
}

size_t
pool_used(const struct pool *pool)
{
	return pool->used;
}
