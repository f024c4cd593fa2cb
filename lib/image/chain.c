#include "image/chain.h"

#include <string.h>

#include <openssl/evp.h>

static EVP_MD *sha1;
static EVP_MD_CTX *context;

int
chain_init(void)
{
	if (sha1 != NULL)
		return 0;
	sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	context = EVP_MD_CTX_new();
	return sha1 != NULL && context != NULL ? 0 : -1;
}

static void
hash_once(uint8_t hash[CHAIN_HASH_SIZE], const uint8_t *bytes, size_t length,
    const uint8_t *salt, size_t salt_length)
{
	EVP_DigestInit_ex(context, sha1, NULL);
	EVP_DigestUpdate(context, bytes, length);
	EVP_DigestUpdate(context, salt, salt_length);
	EVP_DigestFinal_ex(context, hash, NULL);
}

void
chain_hash(uint8_t hash[CHAIN_HASH_SIZE], const uint8_t *name,
    const uint8_t *salt, size_t salt_length, unsigned iterations)
{
	hash_once(hash, name, dns_name_length(name), salt, salt_length);
	while (iterations-- > 0)
		hash_once(hash, hash, CHAIN_HASH_SIZE, salt, salt_length);
}

/*
 * Of entries in order, the last one that is not beyond what is looked for;
 * before the first one comes the last. order() gives less than 0 if the entry
 * comes before it.
 */
static uint32_t
find_entry(const struct image *image, const struct image_zone *zone,
    const uint8_t *key, bool *matches, int (*order)(const struct image *image,
    const void *chain, uint32_t entry, const uint8_t *key))
{
	const void *chain = image_at(image, zone->chain);
	uint32_t low = 0, high = zone->chain_length;

	*matches = false;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int compared = order(image, chain, middle, key);

		if (compared == 0)
			*matches = true;
		if (compared <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? low - 1 : zone->chain_length - 1;
}

static int
order_names(const struct image *image, const void *chain, uint32_t entry,
    const uint8_t *key)
{
	const struct image_node *node = image_at(image,
	    ((const place *)chain)[entry]);

	return dns_name_compare(image_node_name(node), key);
}

static int
order_hashes(const struct image *image, const void *chain, uint32_t entry,
    const uint8_t *key)
{
	return memcmp(((const struct image_hashed *)chain)[entry].hash, key,
	    CHAIN_HASH_SIZE);
}

place
chain_find(const struct image *image, const struct image_zone *zone,
    const uint8_t *name, bool *matches)
{
	const void *chain = image_at(image, zone->chain);
	uint8_t hash[CHAIN_HASH_SIZE];

	*matches = false;
	if (zone->chain_length == 0)
		return 0;
	if (zone->denial == DENIAL_NSEC)
		return ((const place *)chain)[find_entry(image, zone, name,
		    matches, order_names)];
	chain_hash(hash, name, image_at(image, zone->salt), zone->salt_length,
	    zone->iterations);
	return ((const struct image_hashed *)chain)[find_entry(image, zone,
	    hash, matches, order_hashes)].node;
}
