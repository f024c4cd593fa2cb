/*
 * derived - passwords that are kept as keys derived in many rounds
 *
 * {PBKDF2}$1$salt$rounds$hexadecimal, with SHA-1 and the salt as it stands;
 * {SCRAM-SHA-1} and {SCRAM-SHA-256}rounds,salt,StoredKey,ServerKey, base64
 * (RFC 5802 section 3): who has the password can make the StoredKey.
 */

#include "auth/derived.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base.h"

#define ROUNDS_MAX	1000000	/* a login takes a second then */
#define PBKDF2_SIZE	20

/* The part of text up to separator, which it is left behind; NULL if there is no separator. */
static char *
cut(char **text, const char *separator)
{
	char *part = strsep(text, separator);

	return *text == NULL ? NULL : part;
}

static int
read_rounds(const char *text)
{
	const char *error = NULL;

	return text == NULL ? 0 : (int)strtonum(text, 1, ROUNDS_MAX, &error);
}

static enum auth_result
compare_hex(const unsigned char *key, size_t size, const char *text)
{
	char hex[2 * PBKDF2_SIZE + 1];

	for (size_t i = 0; i < size; i++)
		snprintf(hex + 2 * i, 3, "%02x", key[i]);
	if (strlen(text) != 2 * size)
		return AUTH_UNKNOWN_SCHEME;
	return CRYPTO_memcmp(hex, text, 2 * size) == 0 ? AUTH_MATCH
	    : AUTH_MISMATCH;
}

enum auth_result
auth_check_pbkdf2(const char *stored, const char *given)
{
	unsigned char key[PBKDF2_SIZE];
	char *copy = mem_strdup(stored), *rest = copy;
	enum auth_result result = AUTH_UNKNOWN_SCHEME;
	const char *empty = cut(&rest, "$"), *version = cut(&rest, "$");
	const char *salt = cut(&rest, "$");
	int rounds = read_rounds(cut(&rest, "$"));

	if (empty != NULL && version != NULL && strcmp(version, "1") == 0
	    && salt != NULL && rounds > 0 && rest != NULL
	    && PKCS5_PBKDF2_HMAC(given, (int)strlen(given),
	    (const unsigned char *)salt, (int)strlen(salt), rounds, EVP_sha1(),
	    sizeof(key), key) == 1)
		result = compare_hex(key, sizeof(key), rest);
	free(copy);
	return result;
}

/* base64, its length without the padding; -1 if it is none, or does not fit. */
static int
decode(const char *text, unsigned char *bytes, size_t room)
{
	size_t length = strlen(text);
	int decoded;

	if (length == 0 || length % 4 != 0 || length / 4 * 3 > room)
		return -1;
	decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text,
	    (int)length);
	return decoded < 0 ? -1 : decoded - (text[length - 1] == '=')
	    - (text[length - 2] == '=');
}

/* What the server keeps of a password: the digest of "Client Key" under the salted password. False: trouble. */
static bool
make_stored_key(const EVP_MD *digest, const char *given,
    const unsigned char *salt, int salt_size, int rounds,
    unsigned char key[EVP_MAX_MD_SIZE])
{
	static const unsigned char name[] = "Client Key";
	unsigned char salted[EVP_MAX_MD_SIZE], client[EVP_MAX_MD_SIZE];
	int size = EVP_MD_get_size(digest);
	bool is_made = PKCS5_PBKDF2_HMAC(given, (int)strlen(given), salt,
	    salt_size, rounds, digest, size, salted) == 1
	    && HMAC(digest, salted, size, name, sizeof(name) - 1, client,
	    NULL) != NULL
	    && EVP_Digest(client, (size_t)size, key, NULL, digest, NULL) == 1;

	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(client, sizeof(client));
	return is_made;
}

enum auth_result
auth_check_scram(const char *digest_name, const char *stored, const char *given)
{
	const EVP_MD *digest = EVP_get_digestbyname(digest_name);
	unsigned char salt[256], want[256], made[EVP_MAX_MD_SIZE];
	char *copy = mem_strdup(stored), *rest = copy;
	int rounds = read_rounds(cut(&rest, ",")), salt_size, size;
	const char *salt_text = cut(&rest, ","), *key_text = cut(&rest, ",");
	enum auth_result result = AUTH_UNKNOWN_SCHEME;

	if (digest != NULL && rounds > 0 && salt_text != NULL && key_text != NULL
	    && (salt_size = decode(salt_text, salt, sizeof(salt))) != -1
	    && (size = decode(key_text, want, sizeof(want)))
	    == EVP_MD_get_size(digest)
	    && make_stored_key(digest, given, salt, salt_size, rounds, made))
		result = CRYPTO_memcmp(made, want, (size_t)size) == 0
		    ? AUTH_MATCH : AUTH_MISMATCH;
	free(copy);
	return result;
}
