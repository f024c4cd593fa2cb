#include "named/keys.h"

#include <stdlib.h>
#include <string.h>

#include "dns/encodings.h"

/*
 * "hmac-sha256", or "hmac-sha256-128" with so many bits of a code to be
 * sent. RFC 4635 section 3.1: it is never cut below half of itself, nor below
 * 80 bits; BIND tells it, and goes on.
 */
static bool
read_algorithm(struct key_settings *key, struct conf *conf, const char *text)
{
	const char *dash = strrchr(text, '-'), *wrong = NULL;
	unsigned bits = 0, unused;
	int algorithm = dns_hmac_parse(text, &unused);

	if (algorithm == -1 && dash != NULL) {
		char *name = mem_strndup(text, dash - text);

		algorithm = dns_hmac_parse(name, &unused);
		bits = strtonum(dash + 1, 1, DNS_MAC_MAX * 8, &wrong);
		free(name);
	} else if (algorithm != -1)
		bits = unused;
	if (algorithm == -1 || wrong != NULL ||
	    bits > dns_hmac_length(algorithm) * 8) {
		conf_error(conf, key->at, "unknown algorithm '%s'", text);
		return false;
	}
	key->key.algorithm = algorithm;
	key->key.mac_length = bits > 0 ? bits / 8 : dns_hmac_length(algorithm);
	if (bits % 8 != 0) {
		conf_error(conf, key->at, "key '%s' digest-bits not multiple "
		    "of 8", key->name);
		return false;
	}
	unused = dns_hmac_length(algorithm) * 4;
	if (bits > 0 && bits < (unused > 80 ? unused : 80))
		conf_warning(key->at, "key '%s' digest-bits too small [<%u]",
		    key->name, unused > 80 ? unused : 80);
	return true;
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

static bool
read_secret(struct key_settings *key, struct conf *conf, const char *text)
{
	uint8_t octets[DNS_SECRET_MAX];
	size_t length = strlen(text);
	ssize_t size = -1;

	if (length > DNS_SECRET_MAX / 3 * 4)
		conf_error(conf, key->at, "key '%s': a secret has at most %d "
		    "octets", key->name, DNS_SECRET_MAX / 3 * 3);
	else {
		size = dns_base64_decode(text, length, octets);
		if (size == -1)
			conf_error(conf, key->at, "bad secret 'bad base64 "
			    "encoding'");
	}
	if (size > 0)
		memcpy(key->key.secret, octets, size);
	key->key.secret_length = size > 0 ? size : 0;
	explicit_bzero(octets, sizeof(octets));
	return size != -1;
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
	if (dns_name_parse(&key.key.name, key.name, strlen(key.name), NULL,
	    &why) == -1)
		conf_error(conf, at, "key '%s': bad key name", key.name);
	else if (algorithm == NULL || secret == NULL)
		conf_error(conf, at, "key '%s' must have both 'secret' and "
		    "'algorithm' defined", key.name);
	else if (other != 0)
		conf_error(conf, at, "key '%s': already exists previous "
		    "definition: %s:%u", key.name,
		    keys->list[other - 1].at->file,
		    keys->list[other - 1].at->line);
	else if (read_algorithm(&key, conf, algorithm) &&
	    read_secret(&key, conf, secret)) {
		dns_name_lower(key.key.name.bytes, key.key.name.bytes,
		    key.key.name.length);
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
	if (keys->list != NULL)
		explicit_bzero(keys->list, keys->count * sizeof(*keys->list));
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
		if (dns_name_equal(keys->list[i].key.name.bytes, wire.bytes))
			return i + 1;
	return 0;
}
