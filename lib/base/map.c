#include "base/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct entry {
	char	*key;		/* NULL: never used */
	void	*value;
	uint64_t hash;
};

/* Open addressing with linear probing, at most two thirds full; a removal closes the gap. */
struct map {
	struct entry	*entries;
	size_t		 size;		/* a power of two */
	size_t		 count;
	uint64_t	 seed;
};

#define FIRST_SIZE	16

/* FNV-1a from a random start, finished with a strong mix: quick on the short keys of mail. */
static uint64_t
hash_key(const struct map *map, const char *key)
{
	uint64_t hash = map->seed;

	for (const unsigned char *p = (const unsigned char *)key; *p != '\0'; p++)
		hash = (hash ^ *p) * 0x100000001b3 + map->seed;
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93;
	hash ^= hash >> 32;
	return hash;
}

struct map *
map_new(void)
{
	struct map *map = mem_zalloc(1, sizeof(*map));

	map->size = FIRST_SIZE;
	map->entries = mem_zalloc(map->size, sizeof(*map->entries));
	arc4random_buf(&map->seed, sizeof(map->seed));
	map->seed |= 1;
	return map;
}

void
map_free(struct map **map, void (*release)(void *value))
{
	if (*map == NULL)
		return;
	for (size_t i = 0; i < (*map)->size; i++) {
		struct entry *entry = &(*map)->entries[i];

		if (entry->key != NULL && release != NULL)
			release(entry->value);
		free(entry->key);
	}
	free((*map)->entries);
	free(*map);
	*map = NULL;
}

/* The entry that holds key, or the free one where it would go. */
static struct entry *
find(const struct map *map, const char *key, uint64_t hash)
{
	size_t i = hash & (map->size - 1);

	while (map->entries[i].key != NULL) {
		if (map->entries[i].hash == hash &&
		    strcmp(map->entries[i].key, key) == 0)
			break;
		i = (i + 1) & (map->size - 1);
	}
	return &map->entries[i];
}

static void
grow(struct map *map)
{
	struct entry *old = map->entries;
	size_t old_size = map->size;

	map->size *= 2;
	map->entries = mem_zalloc(map->size, sizeof(*map->entries));
	for (size_t i = 0; i < old_size; i++) {
		if (old[i].key != NULL)
			*find(map, old[i].key, old[i].hash) = old[i];
	}
	free(old);
}

void *
map_get(const struct map *map, const char *key)
{
	return find(map, key, hash_key(map, key))->value;
}

void *
map_set(struct map *map, const char *key, void *value)
{
	uint64_t hash = hash_key(map, key);
	struct entry *entry = find(map, key, hash);

	if (entry->key != NULL) {
		void *old = entry->value;

		entry->value = value;
		return old;
	}
	if ((map->count + 1) * 3 > map->size * 2) {
		grow(map);
		entry = find(map, key, hash);
	}
	entry->key = mem_strdup(key);
	entry->value = value;
	entry->hash = hash;
	map->count++;
	return NULL;
}

void *
map_remove(struct map *map, const char *key)
{
	struct entry *entry = find(map, key, hash_key(map, key));

	if (entry->key == NULL)
		return NULL;

	void *value = entry->value;
	size_t gap = (size_t)(entry - map->entries);
	size_t mask = map->size - 1;

	free(entry->key);
	map->count--;
	/* Move back each follower that the gap would hide from its search. */
	for (size_t i = (gap + 1) & mask; map->entries[i].key != NULL;
	    i = (i + 1) & mask) {
		size_t home = map->entries[i].hash & mask;

		if (((i - home) & mask) >= ((i - gap) & mask)) {
			map->entries[gap] = map->entries[i];
			gap = i;
		}
	}
	memset(&map->entries[gap], 0, sizeof(map->entries[gap]));
	return value;
}

size_t
map_count(const struct map *map)
{
	return map->count;
}

const char *
map_next(const struct map *map, size_t *position, void **value)
{
	while (*position < map->size) {
		const struct entry *entry = &map->entries[(*position)++];

		if (entry->key != NULL) {
			if (value != NULL)
				*value = entry->value;
			return entry->key;
		}
	}
	return NULL;
}
