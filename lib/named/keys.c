#include "named/keys.h"

#include <stdlib.h>
#include <string.h>

#include "dns/encodings.h"

static const struct {
	const char *name;
	enum key_algorithm algorithm;
	unsigned bits;
} algorithms[] = {
	{ "hmac-md5", KEY_HMAC_MD5, 128 },
	{ "hmac-md5.sig-alg.reg.int", KEY_HMAC_MD5, 128 },
	{ "hmac-md5.sig-alg.reg.int.", KEY_HMAC_MD5, 128 },
	{ "hmac-sha1", KEY_HMAC_SHA1, 160 },
	{ "hmac-sha224", KEY_HMAC_SHA224, 224 },
	{ "hmac-sha256", KEY_HMAC_SHA256, 256 },
	{ "hmac-sha384", KEY_HMAC_SHA384, 384 },
	{ "hmac-sha512", KEY_HMAC_SHA512, 512 },
};

int
key_algorithm_parse(const char *text, enum key_algorithm *algorithm,
    unsigned *bits)
{
	for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
		size_t length = strlen(algorithms[i].name);
		const char *wrong = NULL;

		if (strncasecmp(text, algorithms[i].name, length) != 0 ||
		    (text[length] != '\0' && text[length] != '-'))
			continue;
		*bits = 0;
		if (text[length] == '-')
			*bits = strtonum(text + length + 1, 1,
			    algorithms[i].bits, &wrong);
		*algorithm = algorithms[i].algorithm;
		return wrong == NULL ? 0 : -1;
	}
	return -1;
}

/* RFC 4635 section 3.1: a digest is never cut below half of itself, nor below 80 bits. */
static void
check_bits(const struct key_settings *key, struct conf *conf)
{
	static const unsigned least[] = { 80, 80, 112, 128, 192, 256 };

	if (key->bits > 0 && key->bits % 8 != 0)
		conf_error(conf, key->at, "key '%s' digest-bits not multiple "
		    "of 8", key->name);
	else if (key->bits > 0 && key->bits < least[key->algorithm])
		conf_warning(key->at, "key '%s' digest-bits too small [<%u]",
		    key->name, least[key->algorithm]);
}

/* The word after one of the statements in the block, NULL if there is none. */
static const char *
part(const struct conf_statement *list, const char *name)
{
	for (; list != NULL; list = list->next)
		if (list->items->text != NULL &&
		    strcasecmp(list->items->text, name) == 0 &&
		    list->items->next != NULL)
			return list->items->next->text;
	return NULL;
}

static void
read_secret(struct key_settings *key, struct conf *conf, const char *text)
{
	size_t length = strlen(text);
	uint8_t *secret = pool_alloc(conf->pool, length + 3);
	ssize_t size = dns_base64_decode(text, length, secret);

	if (size == -1)
		conf_error(conf, key->at, "bad secret 'bad base64 encoding'");
	key->secret = secret;
	key->secret_length = size > 0 ? size : 0;
}

static void
read_key(struct keys *keys, struct conf *conf, const struct conf_statement *at)
{
	const struct conf_item *name = at->items->next;
	struct key_settings key = { .at = at };
	const char *algorithm, *secret, *why;
	uint32_t other;

	if (name == NULL || name->text == NULL || name->next == NULL ||
	    name->next->kind != CONF_BLOCK) {
		conf_error(conf, at, "expected: key \"name\" { algorithm ...; "
		    "secret ...; };");
		return;
	}
	key.name = name->text;
	algorithm = part(name->next->block, "algorithm");
	secret = part(name->next->block, "secret");
	other = keys_find(keys, key.name);
	if (dns_name_parse(&key.wire, key.name, strlen(key.name), NULL,
	    &why) == -1)
		conf_error(conf, at, "key '%s': bad key name", key.name);
	else if (algorithm == NULL || secret == NULL)
		conf_error(conf, at, "key '%s' must have both 'secret' and "
		    "'algorithm' defined", key.name);
	else if (key_algorithm_parse(algorithm, &key.algorithm,
	    &key.bits) == -1)
		conf_error(conf, at, "unknown algorithm '%s'", algorithm);
	else if (other != 0)
		conf_error(conf, at, "key '%s': already exists previous "
		    "definition: %s:%u", key.name,
		    keys->list[other - 1].at->file,
		    keys->list[other - 1].at->line);
	else {
		check_bits(&key, conf);
		read_secret(&key, conf, secret);
		keys->list = mem_resize(keys->list, keys->count + 1,
		    sizeof(key));
		keys->list[keys->count++] = key;
	}
}

void
keys_read(struct keys *keys, struct conf *conf)
{
	for (const struct conf_statement *at = conf->statements; at != NULL;
	    at = at->next)
		if (conf_is(at, "key"))
			read_key(keys, conf, at);
}

void
keys_clear(struct keys *keys)
{
	free(keys->list);
	memset(keys, 0, sizeof(*keys));
}

uint32_t
keys_find(const struct keys *keys, const char *name)
{
	struct dns_name wire;
	const char *why;

	if (dns_name_parse(&wire, name, strlen(name), NULL, &why) == -1)
		return 0;
	for (size_t i = 0; i < keys->count; i++)
		if (dns_name_equal(keys->list[i].wire.bytes, wire.bytes))
			return i + 1;
	return 0;
}
