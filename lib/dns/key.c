#include "dns/key.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/base.h"
#include "dns/encodings.h"

static const struct {
	const char *name;		/* in configuration files */
	const char *wire;		/* as a domain name (RFC 8945 section 6) */
	const char *digest;
	uint8_t	 length;
} algorithms[] = {
	[DNS_HMAC_MD5] = { "hmac-md5", "hmac-md5.sig-alg.reg.int", "MD5", 16 },
	[DNS_HMAC_SHA1] = { "hmac-sha1", "hmac-sha1", "SHA1", 20 },
	[DNS_HMAC_SHA224] = { "hmac-sha224", "hmac-sha224", "SHA224", 28 },
	[DNS_HMAC_SHA256] = { "hmac-sha256", "hmac-sha256", "SHA256", 32 },
	[DNS_HMAC_SHA384] = { "hmac-sha384", "hmac-sha384", "SHA384", 48 },
	[DNS_HMAC_SHA512] = { "hmac-sha512", "hmac-sha512", "SHA512", 64 },
};

const char *
dns_hmac_name(enum dns_hmac algorithm)
{
	return algorithms[algorithm].wire;
}

size_t
dns_hmac_length(enum dns_hmac algorithm)
{
	return algorithms[algorithm].length;
}

int
dns_hmac_find(const struct dns_name *name)
{
	char text[DNS_NAME_TEXT];

	dns_name_show(name->bytes, text);
	for (size_t i = 0; i < COUNT_OF(algorithms); i++)
		if (strcasecmp(text, algorithms[i].wire) == 0)
			return i;
	return -1;
}

int
dns_hmac_parse(const char *text, unsigned *bits)
{
	*bits = 0;
	for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
		size_t length = strlen(algorithms[i].name);
		const char *wrong = NULL;

		if (strcasecmp(text, algorithms[i].wire) == 0)
			return i;
		if (strncasecmp(text, algorithms[i].name, length) != 0)
			continue;
		if (text[length] == '\0')
			return i;
		if (text[length] != '-')
			continue;
		*bits = strtonum(text + length + 1, 80,
		    algorithms[i].length * 8, &wrong);
		return wrong == NULL && *bits % 8 == 0 &&
		    *bits >= algorithms[i].length * 4u ? (int)i : -1;
	}
	return -1;
}

int
dns_key_init(struct dns_key *key, const char *name, const char *algorithm,
    const char *secret, const char **why)
{
	uint8_t octets[DNS_SECRET_MAX];
	unsigned bits;
	int number = dns_hmac_parse(algorithm, &bits);
	ssize_t length;

	memset(key, 0, sizeof(*key));
	if (number == -1) {
		*why = "unknown algorithm";
		return -1;
	}
	if (dns_name_parse(&key->name, name, strlen(name), NULL, why) == -1)
		return -1;
	dns_name_lower(key->name.bytes, key->name.bytes, key->name.length);
	length = strlen(secret) > sizeof(octets) / 3 * 4 ? -1 :
	    dns_base64_decode(secret, strlen(secret), octets);
	if (length <= 0) {
		*why = "bad base64 encoding";
		return -1;
	}
	key->algorithm = number;
	key->mac_length = bits > 0 ? bits / 8 : algorithms[number].length;
	key->secret_length = length;
	memcpy(key->secret, octets, length);
	explicit_bzero(octets, sizeof(octets));
	return 0;
}

/* Codes */

struct dns_mac {
	EVP_MAC_CTX *context;
};

struct dns_mac *
dns_mac_new(const struct dns_key *key)
{
	static EVP_MAC *hmac;
	struct dns_mac *mac = mem_zalloc(1, sizeof(*mac));
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
		    (char *)(uintptr_t)algorithms[key->algorithm].digest, 0),
		OSSL_PARAM_construct_end(),
	};

	if (hmac == NULL)
		hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	mac->context = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
	if (mac->context == NULL || EVP_MAC_init(mac->context, key->secret,
	    key->secret_length, parameters) != 1) {
		EVP_MAC_CTX_free(mac->context);
		mac->context = NULL;
	}
	return mac;
}

void
dns_mac_add(struct dns_mac *mac, const void *octets, size_t length)
{
	if (mac->context != NULL &&
	    EVP_MAC_update(mac->context, octets, length) != 1) {
		EVP_MAC_CTX_free(mac->context);
		mac->context = NULL;
	}
}

/* Without OpenSSL's help (its policy forbids MD5) a code is random: nothing verifies. */
size_t
dns_mac_finish(struct dns_mac **mac, uint8_t octets[DNS_MAC_MAX])
{
	size_t length = DNS_MAC_MAX;

	if ((*mac)->context == NULL || EVP_MAC_final((*mac)->context, octets,
	    &length, DNS_MAC_MAX) != 1)
		arc4random_buf(octets, DNS_MAC_MAX);
	dns_mac_free(mac);
	return length;
}

void
dns_mac_free(struct dns_mac **mac)
{
	if (*mac == NULL)
		return;
	EVP_MAC_CTX_free((*mac)->context);
	free(*mac);
	*mac = NULL;
}

bool
dns_mac_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
	return CRYPTO_memcmp(a, b, length) == 0;
}

void
dns_key_prepare(void)
{
	uint8_t octets[DNS_MAC_MAX];

	for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
		struct dns_key key = { .algorithm = i, .secret_length = 16 };
		struct dns_mac *mac = dns_mac_new(&key);

		dns_mac_finish(&mac, octets);
	}
}
