/*
 * map - a table from string to pointer
 *
 * Keys are copied and compared byte for byte; the caller folds case first.
 * The hash is seeded at random, so that no peer can choose keys that collide.
 */

#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>

struct map;

/* An empty map. Released with map_free(). */
struct map *map_new(void);

/* Release the map, each value with release unless that is NULL. Clears *map; NULL is fine. */
void	 map_free(struct map **map, void (*release)(void *value));

/* The value of key, NULL if there is none. */
void	*map_get(const struct map *map, const char *key);

/* Set the value of key; gives the one that it replaces, or NULL. */
void	*map_set(struct map *map, const char *key, void *value);

/* Remove key; gives its value, or NULL if there was none. */
void	*map_remove(struct map *map, const char *key);

size_t	 map_count(const struct map *map);

/*
 * Walk through all entries in no order: start with *position 0; gives each
 * key and its value, NULL at the end. The map must not change meanwhile.
 */
const char *map_next(const struct map *map, size_t *position, void **value);

#endif
