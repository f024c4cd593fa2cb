/* cache - passwords that were right a moment ago, as keyed hashes */

#include "auth/auth.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base.h"

#define COUNT_LIMIT	20000
#define HASH_SIZE	32
#define HEX_SIZE	(2 * HASH_SIZE + 1)

struct auth_cache {
	int	 ttl_s;
	unsigned char key[32];	/* of this process alone */
	struct map *until_ms;	/* hash to the time when it ends */
};

struct auth_cache *
auth_cache_new(int ttl_s)
{
	struct auth_cache *cache = mem_zalloc(1, sizeof(*cache));

	cache->ttl_s = ttl_s;
	arc4random_buf(cache->key, sizeof(cache->key));
	cache->until_ms = map_new();
	return cache;
}

void
auth_cache_free(struct auth_cache **cache)
{
	if (*cache == NULL)
		return;
	map_free(&(*cache)->until_ms, NULL);
	explicit_bzero(*cache, sizeof(**cache));
	free(*cache);
	*cache = NULL;
}

/* Each part ends in a NUL, so that no two triples look alike. */
static bool
make_hash(const struct auth_cache *cache, const char *parts[3], char hex[HEX_SIZE])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	struct text text = TEXT_EMPTY;

	for (int i = 0; i < 3; i++)
		text_append(&text, parts[i], strlen(parts[i]) + 1);

	bool made = HMAC(EVP_sha256(), cache->key, sizeof(cache->key),
	    (const unsigned char *)text.bytes, text.length, hash, &size) != NULL
	    && size == HASH_SIZE;

	for (size_t i = 0; made && i < HASH_SIZE; i++) {
		hex[2 * i] = "0123456789abcdef"[hash[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
	}
	hex[HEX_SIZE - 1] = '\0';
	explicit_bzero(text.bytes, text.length);
	text_clear(&text);
	return made;
}

enum auth_result
auth_cache_check(struct auth_cache *cache, const char *user,
    const char *stored, const char *given)
{
	char hash[HEX_SIZE];

	if (cache->ttl_s == 0
	    || !make_hash(cache, (const char *[]) { user, stored, given }, hash))
		return auth_password_check(stored, given);

	intptr_t until = (intptr_t)map_get(cache->until_ms, hash);

	if (until > (intptr_t)clock_ms())
		return AUTH_MATCH;

	enum auth_result result = auth_password_check(stored, given);

	if (result != AUTH_MATCH)
		return result;
	if (map_count(cache->until_ms) >= COUNT_LIMIT) {
		map_free(&cache->until_ms, NULL);
		cache->until_ms = map_new();
	}
	map_set(cache->until_ms, hash,
	    (void *)(intptr_t)(clock_ms() + cache->ttl_s * 1000LL));
	return AUTH_MATCH;
}
