#include "rndc/rndc.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "dns/encodings.h"
#include "dns/message.h"

#define VERSION		1
#define TYPE_BINARY	1
#define TYPE_TABLE	2

/* A code takes as many octets of base64 as the longest needs; only MD5's has a size of its own. */
#define CODE_SIZE	88
#define CODE_SIZE_MD5	22
#define AUTH_SIZE	(1 + 5 + 1 + 4)			/* "_auth", its type and length */
#define FIELD_SIZE	(1 + 4 + 1 + 4)			/* "hsha", the same */

static const uint8_t numbers[] = {
	[DNS_HMAC_MD5] = 157,
	[DNS_HMAC_SHA1] = 161,
	[DNS_HMAC_SHA224] = 162,
	[DNS_HMAC_SHA256] = 163,
	[DNS_HMAC_SHA384] = 164,
	[DNS_HMAC_SHA512] = 165,
};

/* The data of "hmd5" or "hsha": its length. */
static size_t
make_code(const struct dns_key *key, const void *bytes, size_t length,
    uint8_t code[1 + CODE_SIZE])
{
	struct dns_mac *mac = dns_mac_new(key);
	uint8_t octets[DNS_MAC_MAX];
	struct text base64 = TEXT_EMPTY;
	size_t size = 0;

	dns_mac_add(mac, bytes, length);
	dns_base64_print(octets, dns_mac_finish(&mac, octets), &base64);
	memset(code, 0, 1 + CODE_SIZE);
	if (key->algorithm != DNS_HMAC_MD5) {
		code[0] = numbers[key->algorithm];
		size = 1;
	}
	memcpy(code + size, base64.bytes, base64.length);
	text_clear(&base64);
	return size + (size == 0 ? CODE_SIZE_MD5 : CODE_SIZE);
}

/* Reading */

struct reader {
	const uint8_t *at;
	const uint8_t *end;
};

/* An entry: its name, its type, its data. 0 at the end, -1 if it is not whole. */
static int
next_entry(struct reader *in, struct rndc_field *field, unsigned *type)
{
	size_t left = in->end - in->at, name, length;

	if (left == 0)
		return 0;
	name = in->at[0];
	if (left < 1 + name + 5)
		return -1;
	field->name = (const char *)in->at + 1;
	field->name_length = name;
	*type = in->at[1 + name];
	length = dns_get32(in->at + 2 + name);
	in->at += 1 + name + 5;
	if ((size_t)(in->end - in->at) < length)
		return -1;
	field->value = (const char *)in->at;
	field->value_length = length;
	in->at += length;
	return 1;
}

static int
is_text(const char *text, size_t length, const char *wanted)
{
	return strlen(wanted) == length && memcmp(text, wanted, length) == 0;
}

static int
read_table(struct rndc_message *message, const struct rndc_field *table)
{
	struct reader in = { (const uint8_t *)table->value,
	    (const uint8_t *)table->value + table->value_length };
	unsigned type;
	int found;

	for (;;) {
		struct rndc_field field = { .table = table->name,
		    .table_length = table->name_length };

		found = next_entry(&in, &field, &type);
		if (found != 1)
			return found;
		if (type != TYPE_BINARY || message->count == RNDC_FIELDS_MAX)
			return -1;
		message->fields[message->count++] = field;
	}
}

/* Which key made this code over the octets that follow? */
static const struct dns_key *
find_key(const struct rndc_field *auth, const struct reader *rest,
    const struct dns_key *keys, size_t count)
{
	struct reader in = { (const uint8_t *)auth->value,
	    (const uint8_t *)auth->value + auth->value_length };
	struct rndc_field field;
	uint8_t code[1 + CODE_SIZE];
	unsigned type;

	if (next_entry(&in, &field, &type) != 1 || type != TYPE_BINARY)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		bool md5 = keys[i].algorithm == DNS_HMAC_MD5;

		if (!is_text(field.name, field.name_length,
		    md5 ? "hmd5" : "hsha"))
			continue;
		size_t size = make_code(&keys[i], rest->at,
		    rest->end - rest->at, code);

		if (field.value_length == size && dns_mac_equal(code,
		    (const uint8_t *)field.value, size))
			return &keys[i];
	}
	return NULL;
}

int
rndc_read(struct rndc_message *message, const void *bytes, size_t length,
    const struct dns_key *keys, size_t key_count, const char **why)
{
	struct reader in = { bytes, (const uint8_t *)bytes + length };
	struct rndc_field table;
	unsigned type;
	int found;

	message->count = 0;
	*why = "malformed message";
	if (length < 4 || dns_get32(bytes) != VERSION)
		return -1;
	in.at += 4;
	if (next_entry(&in, &table, &type) != 1 || type != TYPE_TABLE ||
	    !is_text(table.name, table.name_length, "_auth"))
		return -1;
	message->key = find_key(&table, &in, keys, key_count);
	if (message->key == NULL) {
		*why = "bad auth";
		return -1;
	}
	while ((found = next_entry(&in, &table, &type)) == 1)
		if (type != TYPE_TABLE || read_table(message, &table) == -1)
			return -1;
	return found;
}

static const struct rndc_field *
find_field(const struct rndc_message *message, const char *table,
    const char *name)
{
	for (size_t i = 0; i < message->count; i++) {
		const struct rndc_field *field = &message->fields[i];

		if (is_text(field->table, field->table_length, table) &&
		    is_text(field->name, field->name_length, name))
			return field;
	}
	return NULL;
}

char *
rndc_value(const struct rndc_message *message, const char *table,
    const char *name)
{
	const struct rndc_field *field = find_field(message, table, name);

	return field == NULL ? NULL :
	    mem_strndup(field->value, field->value_length);
}

int
rndc_is(const struct rndc_message *message, const char *table,
    const char *name, const char *value)
{
	const struct rndc_field *field = find_field(message, table, name);

	return field != NULL &&
	    is_text(field->value, field->value_length, value);
}

/* Writing */

static void
put_head(struct text *to, const char *name, unsigned type, size_t length)
{
	uint8_t octets[5] = { type };

	text_putc(to, strlen(name));
	text_puts(to, name);
	dns_put32(octets + 1, length);
	text_append(to, octets, sizeof(octets));
}

static size_t
code_length(const struct dns_key *key)
{
	return key->algorithm == DNS_HMAC_MD5 ? CODE_SIZE_MD5 : 1 + CODE_SIZE;
}

void
rndc_begin(struct text *to, const struct dns_key *key)
{
	static const uint8_t length_and_version[8] = { [7] = VERSION };
	static const uint8_t code[1 + CODE_SIZE];
	size_t length = code_length(key);

	text_append(to, length_and_version, sizeof(length_and_version));
	put_head(to, "_auth", TYPE_TABLE, FIELD_SIZE + length);
	put_head(to, key->algorithm == DNS_HMAC_MD5 ? "hmd5" : "hsha",
	    TYPE_BINARY, length);
	text_append(to, code, length);
}

size_t
rndc_open_table(struct text *to, const char *name)
{
	put_head(to, name, TYPE_TABLE, 0);
	return to->length;
}

void
rndc_put(struct text *to, const char *name, const char *value)
{
	put_head(to, name, TYPE_BINARY, strlen(value));
	text_puts(to, value);
}

void
rndc_close_table(struct text *to, size_t table)
{
	dns_put32((uint8_t *)to->bytes + table - 4, to->length - table);
}

void
rndc_finish(struct text *to, const struct dns_key *key)
{
	size_t code_at = 8 + AUTH_SIZE + FIELD_SIZE;
	size_t rest = code_at + code_length(key);
	uint8_t code[1 + CODE_SIZE];
	size_t length = make_code(key, to->bytes + rest, to->length - rest,
	    code);

	memcpy(to->bytes + code_at, code, length);
	dns_put32((uint8_t *)to->bytes, to->length - 4);
}
