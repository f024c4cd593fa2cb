#include "dns/tsig.h"

#include <string.h>

#include "dns/message.h"

#define UNSIGNED_MAX	99	/* messages between two that are signed */

const char *
dns_tsig_error_name(unsigned error)
{
	switch (error) {
	case DNS_BADSIG:
		return "BADSIG";
	case DNS_BADKEY:
		return "BADKEY";
	case DNS_BADTIME:
		return "BADTIME";
	case DNS_BADTRUNC:
		return "BADTRUNC";
	default:
		return "error";
	}
}

/* Reading */

static uint64_t
get48(const uint8_t *at)
{
	return (uint64_t)dns_get16(at) << 32 | dns_get32(at + 2);
}

static void
put48(uint8_t *at, uint64_t value)
{
	dns_put16(at, value >> 32);
	dns_put32(at + 2, value);
}

bool
dns_tsig_read(struct dns_tsig_record *to, const uint8_t *message,
    size_t length, size_t at)
{
	struct dns_record record;
	size_t end = at, data;
	const uint8_t *fixed;

	to->at = at;
	if (!dns_record_read(&record, message, length, &end) ||
	    record.type != DNS_TYPE_TSIG || record.class != DNS_CLASS_ANY ||
	    record.ttl != 0)
		return false;
	to->name = record.owner;
	data = record.data;
	if (!dns_name_unpack(&to->algorithm, message, end, &data) ||
	    end - data < 10)
		return false;
	fixed = message + data;
	to->time = get48(fixed);
	to->fudge = dns_get16(fixed + 6);
	to->mac_length = dns_get16(fixed + 8);
	to->mac = fixed + 10;
	data += 10;
	if (end - data < to->mac_length + 6u)
		return false;
	data += to->mac_length;
	to->original_id = dns_get16(message + data);
	to->error = dns_get16(message + data + 2);
	to->other_length = dns_get16(message + data + 4);
	to->other = message + data + 6;
	return end - data - 6 == to->other_length;
}

int
dns_tsig_find(struct dns_tsig_record *to, const uint8_t *message,
    size_t length)
{
	size_t at = DNS_HEADER_SIZE, begin = 0;
	unsigned records;
	struct dns_record record = { .type = 0 };

	if (length < DNS_HEADER_SIZE)
		return -1;
	for (unsigned i = dns_get16(message + 4); i > 0; i--)
		if (!dns_question_skip(message, length, &at))
			return -1;
	records = dns_get16(message + 6) + dns_get16(message + 8) +
	    dns_get16(message + 10);
	for (unsigned i = 0; i < records; i++) {
		if (record.type == DNS_TYPE_TSIG)
			return -1;
		begin = at;
		if (!dns_record_read(&record, message, length, &at))
			return -1;
	}
	if (record.type != DNS_TYPE_TSIG)
		return 0;
	return dns_get16(message + 10) > 0 &&
	    dns_tsig_read(to, message, length, begin) ? 1 : -1;
}

/* Computing */

/* What stands before a message: the code of the one before. */
static void
add_previous(struct dns_mac *mac, const struct dns_tsig *tsig)
{
	uint8_t length[2];

	if (tsig->mac_length == 0)
		return;
	dns_put16(length, tsig->mac_length);
	dns_mac_add(mac, length, 2);
	dns_mac_add(mac, tsig->mac, tsig->mac_length);
}

/* A message as it was before its TSIG record, which is in additional_count or not. */
static void
add_message(struct dns_mac *mac, const uint8_t *message, size_t length,
    uint16_t id, uint16_t additional_count)
{
	uint8_t head[DNS_HEADER_SIZE];

	memcpy(head, message, sizeof(head));
	dns_put16(head, id);
	dns_put16(head + 10, additional_count);
	dns_mac_add(mac, head, sizeof(head));
	dns_mac_add(mac, message + sizeof(head), length - sizeof(head));
}

static void
add_name(struct dns_mac *mac, const struct dns_name *name)
{
	uint8_t lower[DNS_NAME_MAX];

	dns_name_lower(lower, name->bytes, name->length);
	dns_mac_add(mac, lower, name->length);
}

static void
add_times(struct dns_mac *mac, uint64_t time, uint16_t fudge)
{
	uint8_t octets[8];

	put48(octets, time);
	dns_put16(octets + 6, fudge);
	dns_mac_add(mac, octets, sizeof(octets));
}

/* What of the record itself is signed (RFC 8945 section 4.3.3). */
static void
add_variables(struct dns_mac *mac, const struct dns_tsig_record *record)
{
	static const uint8_t class_and_ttl[6] = { 0, DNS_CLASS_ANY };
	uint8_t end[4];

	add_name(mac, &record->name);
	dns_mac_add(mac, class_and_ttl, sizeof(class_and_ttl));
	add_name(mac, &record->algorithm);
	add_times(mac, record->time, record->fudge);
	dns_put16(end, record->error);
	dns_put16(end + 2, record->other_length);
	dns_mac_add(mac, end, sizeof(end));
	dns_mac_add(mac, record->other, record->other_length);
}

static void
remember(struct dns_tsig *tsig, const uint8_t *mac, size_t length)
{
	memcpy(tsig->mac, mac, length);
	tsig->mac_length = length;
}

/* Is the code of a record good? A short one is a truncated one: RFC 8945 section 5.2.2.1. */
static bool
is_long_enough(const struct dns_key *key, size_t length)
{
	size_t full = dns_hmac_length(key->algorithm);

	return length <= full && length >= 10 && length >= full / 2;
}

static const struct dns_key *
find_key(const struct dns_key *keys, size_t count,
    const struct dns_tsig_record *record)
{
	int algorithm = dns_hmac_find(&record->algorithm);

	for (size_t i = 0; i < count; i++)
		if (keys[i].algorithm == algorithm &&
		    dns_name_equal(keys[i].name.bytes, record->name.bytes))
			return &keys[i];
	return NULL;
}

static bool
is_timely(const struct dns_tsig_record *record, uint64_t now)
{
	return record->time <= now + record->fudge &&
	    now <= record->time + record->fudge;
}

/* The server's side */

unsigned
dns_tsig_receive(struct dns_tsig *tsig, const struct dns_key *keys,
    size_t key_count, const uint8_t *message,
    const struct dns_tsig_record *record, uint64_t now)
{
	const struct dns_key *key = find_key(keys, key_count, record);
	uint8_t octets[DNS_MAC_MAX];
	struct dns_mac *mac;

	memset(tsig, 0, sizeof(*tsig));
	tsig->name = record->name;
	tsig->algorithm = record->algorithm;
	tsig->time = record->time;
	if (key == NULL)
		return tsig->error = DNS_BADKEY;
	if (!is_long_enough(key, record->mac_length)) {
		/* None at all is what a client sends that has been told of an error. */
		if (record->mac_length > 0)
			return DNS_FORMERR;
		return tsig->error = DNS_BADSIG;
	}
	mac = dns_mac_new(key);
	add_message(mac, message, record->at, record->original_id,
	    dns_get16(message + 10) - 1);
	add_variables(mac, record);
	dns_mac_finish(&mac, octets);
	if (!dns_mac_equal(octets, record->mac, record->mac_length))
		return tsig->error = DNS_BADSIG;
	tsig->key = key;
	remember(tsig, record->mac, record->mac_length);
	if (record->mac_length < key->mac_length)
		tsig->error = DNS_BADTRUNC;
	else if (!is_timely(record, now))
		tsig->error = DNS_BADTIME;
	return tsig->error;
}

/* Signing */

static void
compute(struct dns_tsig *tsig, const uint8_t *message, size_t length,
    const struct dns_tsig_record *record)
{
	uint8_t octets[DNS_MAC_MAX];
	struct dns_mac *mac;

	if (tsig->key == NULL) {
		tsig->mac_length = 0;
		return;
	}
	mac = dns_mac_new(tsig->key);
	add_previous(mac, tsig);
	add_message(mac, message, length, record->original_id,
	    dns_get16(message + 10));
	if (tsig->is_continued)
		add_times(mac, record->time, record->fudge);
	else
		add_variables(mac, record);
	dns_mac_finish(&mac, octets);
	remember(tsig, octets, tsig->key->mac_length);
}

static uint8_t *
put_name(uint8_t *to, const struct dns_name *name)
{
	memcpy(to, name->bytes, name->length);
	return to + name->length;
}

size_t
dns_tsig_sign(struct dns_tsig *tsig, uint8_t *message, size_t length,
    uint64_t now)
{
	uint8_t other[6], *to, *data;
	struct dns_tsig_record record = {
		.name = tsig->name,
		.algorithm = tsig->algorithm,
		.time = tsig->error != 0 ? tsig->time : now,
		.fudge = DNS_TSIG_FUDGE,
		.original_id = dns_get16(message),
		.error = tsig->error,
		.other_length = tsig->error == DNS_BADTIME ? 6 : 0,
		.other = other,
	};

	put48(other, now);
	compute(tsig, message, length, &record);
	to = put_name(message + length, &record.name);
	dns_put16(to, DNS_TYPE_TSIG);
	dns_put16(to + 2, DNS_CLASS_ANY);
	dns_put32(to + 4, 0);
	data = to + 10;
	to = put_name(data, &record.algorithm);
	put48(to, record.time);
	dns_put16(to + 6, record.fudge);
	dns_put16(to + 8, tsig->mac_length);
	memcpy(to + 10, tsig->mac, tsig->mac_length);
	to += 10 + tsig->mac_length;
	dns_put16(to, record.original_id);
	dns_put16(to + 2, record.error);
	dns_put16(to + 4, record.other_length);
	memcpy(to + 6, other, record.other_length);
	to += 6 + record.other_length;
	dns_put16(data - 2, to - data);
	dns_put16(message + 10, dns_get16(message + 10) + 1);
	tsig->is_continued = !tsig->is_client;
	return to - message;
}

/* The client's side */

void
dns_tsig_start(struct dns_tsig *tsig, const struct dns_key *key)
{
	const char *why;

	memset(tsig, 0, sizeof(*tsig));
	tsig->key = key;
	tsig->is_client = true;
	tsig->name = key->name;
	dns_name_parse(&tsig->algorithm, dns_hmac_name(key->algorithm),
	    strlen(dns_hmac_name(key->algorithm)), NULL, &why);
}

/* Check the code of a message; what went before without one is in tsig->running. */
static const char *
check(struct dns_tsig *tsig, const uint8_t *message, bool is_first,
    const struct dns_tsig_record *record, uint64_t now)
{
	uint8_t octets[DNS_MAC_MAX];

	if (!dns_name_equal(record->name.bytes, tsig->name.bytes) ||
	    !dns_name_equal(record->algorithm.bytes, tsig->algorithm.bytes))
		return "signed with another key";
	if (record->error != 0 && record->error != DNS_BADTIME)
		return "the server did not accept our signature";
	if (record->mac_length < tsig->key->mac_length ||
	    !is_long_enough(tsig->key, record->mac_length))
		return "signature too short";
	add_message(tsig->running, message, record->at, record->original_id,
	    dns_get16(message + 10) - 1);
	if (is_first)
		add_variables(tsig->running, record);
	else
		add_times(tsig->running, record->time, record->fudge);
	dns_mac_finish(&tsig->running, octets);
	if (!dns_mac_equal(octets, record->mac, record->mac_length))
		return "bad signature";
	if (record->error == DNS_BADTIME || !is_timely(record, now))
		return "the clocks differ too much";
	remember(tsig, record->mac, record->mac_length);
	return NULL;
}

const char *
dns_tsig_verify(struct dns_tsig *tsig, uint8_t *message, size_t *length,
    uint64_t now, bool *is_signed)
{
	struct dns_tsig_record record;
	int found = dns_tsig_find(&record, message, *length);
	bool is_first = !tsig->is_continued;
	const char *why;

	*is_signed = found == 1;
	if (found == -1)
		return "malformed message";
	if (tsig->running == NULL) {
		tsig->running = dns_mac_new(tsig->key);
		add_previous(tsig->running, tsig);
	}
	if (found == 0) {
		if (is_first || ++tsig->unsigned_count > UNSIGNED_MAX)
			return "not signed";
		add_message(tsig->running, message, *length,
		    dns_get16(message), dns_get16(message + 10));
		return NULL;
	}
	why = check(tsig, message, is_first, &record, now);
	if (why != NULL)
		return why;
	tsig->is_continued = true;
	tsig->unsigned_count = 0;
	dns_put16(message + 10, dns_get16(message + 10) - 1);
	*length = record.at;
	return NULL;
}

void
dns_tsig_clear(struct dns_tsig *tsig)
{
	dns_mac_free(&tsig->running);
}
