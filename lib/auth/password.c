/* password - is this the password that is stored like that? */

#include "auth/auth.h"

#include <crypt.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "auth/derived.h"
#include "base/base.h"

struct scheme;
typedef enum auth_result check(const struct scheme *scheme, const char *stored,
    const char *given);

static check check_plain, check_crypt, check_digest, check_md5, check_pbkdf2,
    check_scram;

struct scheme {
	const char *name;
	check	*check;
	const char *digest;	/* OpenSSL's name */
	bool	 is_salted;	/* the salt stands behind the digest */
};

static const struct scheme schemes[] = {
	{ "PLAIN",		check_plain,	NULL,		false },
	{ "CLEAR",		check_plain,	NULL,		false },
	{ "CLEARTEXT",		check_plain,	NULL,		false },
	{ "CRYPT",		check_crypt,	NULL,		false },
	{ "SHA512-CRYPT",	check_crypt,	NULL,		false },
	{ "SHA256-CRYPT",	check_crypt,	NULL,		false },
	{ "MD5-CRYPT",		check_crypt,	NULL,		false },
	{ "BLF-CRYPT",		check_crypt,	NULL,		false },
	{ "DES-CRYPT",		check_crypt,	NULL,		false },
	{ "SHA",		check_digest,	"SHA1",		false },
	{ "SHA1",		check_digest,	"SHA1",		false },
	{ "SHA256",		check_digest,	"SHA256",	false },
	{ "SHA512",		check_digest,	"SHA512",	false },
	{ "SSHA",		check_digest,	"SHA1",		true },
	{ "SSHA256",		check_digest,	"SHA256",	true },
	{ "SSHA512",		check_digest,	"SHA512",	true },
	{ "SMD5",		check_digest,	"MD5",		true },
	{ "LDAP-MD5",		check_digest,	"MD5",		false },
	{ "PLAIN-MD5",		check_digest,	"MD5",		false },
	{ "MD5",		check_md5,	"MD5",		false },
	{ "PBKDF2",		check_pbkdf2,	NULL,		false },
	{ "SCRAM-SHA-1",	check_scram,	"SHA1",		false },
	{ "SCRAM-SHA-256",	check_scram,	"SHA256",	false },
};

static enum auth_result
compare(const void *a, size_t length_a, const void *b, size_t length_b)
{
	return length_a == length_b && CRYPTO_memcmp(a, b, length_a) == 0
	    ? AUTH_MATCH : AUTH_MISMATCH;
}

static enum auth_result
check_plain(const struct scheme *scheme, const char *stored, const char *given)
{
	return compare(stored, strlen(stored), given, strlen(given));
}

static enum auth_result
check_crypt(const struct scheme *scheme, const char *stored, const char *given)
{
	static struct crypt_data data;	/* 32 KB: too large for a stack */

	/* A locked account; and crypt's own sign of failure must never be a match. */
	if (stored[0] == '*' || stored[0] == '!' || stored[0] == '\0')
		return AUTH_MISMATCH;

	const char *hash = crypt_r(given, stored, &data);
	enum auth_result result = hash == NULL || hash[0] == '*'
	    ? AUTH_UNKNOWN_SCHEME
	    : compare(hash, strlen(hash), stored, strlen(stored));

	explicit_bzero(&data, sizeof(data));
	return result;
}

/* Hexadecimal or base64 into bytes; the length, or 0 if it is neither. */
static size_t
decode(const char *text, unsigned char *bytes, size_t room, size_t digest_length)
{
	size_t length = strlen(text);

	if (length == 2 * digest_length && strspn(text, "0123456789abcdefABCDEF") == length) {
		for (size_t i = 0; i < digest_length; i++) {
			char pair[] = { text[2 * i], text[2 * i + 1], '\0' };

			bytes[i] = (unsigned char)strtoul(pair, NULL, 16);
		}
		return digest_length;
	}
	if (length == 0 || length % 4 != 0 || length / 4 * 3 > room)
		return 0;

	int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);

	if (decoded < 0)
		return 0;
	return (size_t)decoded - (text[length - 1] == '=')
	    - (text[length - 2] == '=');
}

static enum auth_result
check_digest(const struct scheme *scheme, const char *stored, const char *given)
{
	const EVP_MD *digest = EVP_get_digestbyname(scheme->digest);
	unsigned char bytes[512], made[EVP_MAX_MD_SIZE];
	unsigned int size;

	if (digest == NULL)
		return AUTH_UNKNOWN_SCHEME;

	size_t want = (size_t)EVP_MD_get_size(digest);
	size_t length = decode(stored, bytes, sizeof(bytes), want);

	if (length < want || (!scheme->is_salted && length != want))
		return AUTH_UNKNOWN_SCHEME;

	EVP_MD_CTX *context = EVP_MD_CTX_new();
	enum auth_result result = AUTH_UNKNOWN_SCHEME;

	if (context != NULL && EVP_DigestInit_ex(context, digest, NULL) == 1
	    && EVP_DigestUpdate(context, given, strlen(given)) == 1
	    && EVP_DigestUpdate(context, bytes + want, length - want) == 1
	    && EVP_DigestFinal_ex(context, made, &size) == 1)
		result = compare(made, size, bytes, want);
	EVP_MD_CTX_free(context);
	return result;
}

static enum auth_result
check_md5(const struct scheme *scheme, const char *stored, const char *given)
{
	return strncmp(stored, "$1$", 3) == 0
	    ? check_crypt(scheme, stored, given)
	    : check_digest(scheme, stored, given);
}

static enum auth_result
check_pbkdf2(const struct scheme *scheme, const char *stored, const char *given)
{
	return auth_check_pbkdf2(stored, given);
}

static enum auth_result
check_scram(const struct scheme *scheme, const char *stored, const char *given)
{
	return auth_check_scram(scheme->digest, stored, given);
}

static const struct scheme *
find_scheme(const char *name, size_t length)
{
	/* {SHA256.HEX}, {SSHA.b64}: the encoding shows by itself. */
	const char *dot = memchr(name, '.', length);

	if (dot != NULL)
		length = (size_t)(dot - name);
	for (size_t i = 0; i < COUNT_OF(schemes); i++)
		if (strlen(schemes[i].name) == length
		    && strncasecmp(schemes[i].name, name, length) == 0)
			return &schemes[i];
	return NULL;
}

enum auth_result
auth_password_check(const char *stored, const char *given)
{
	const char *end = stored[0] == '{' ? strchr(stored, '}') : NULL;

	if (end == NULL)
		return check_crypt(NULL, stored, given);

	const struct scheme *scheme = find_scheme(stored + 1,
	    (size_t)(end - stored - 1));

	return scheme == NULL ? AUTH_UNKNOWN_SCHEME
	    : scheme->check(scheme, end + 1, given);
}
