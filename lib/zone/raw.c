#include "zone/raw.h"

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "zone/source.h"

#define FORM		2	/* of the two that BIND has, the one without pointers */
#define HEAD_MIN	12	/* octets of a head of version 0 */
#define HEAD_SIZE	24
#define SET_HEAD	20	/* octets before an owner: length, class, type, covers, TTL, count, its length */
#define HAS_SERIAL	1

static const uint8_t mark[4] = { 0, 0, 0, FORM };

bool
raw_is(const char *bytes, size_t length)
{
	return length >= HEAD_MIN && memcmp(bytes, mark, sizeof(mark)) == 0;
}

bool
raw_is_file(const char *path)
{
	FILE *file = fopen(path, "re");
	uint8_t octets[HEAD_MIN];
	size_t length = file != NULL ? fread(octets, 1, sizeof(octets), file) :
	    0;

	if (file != NULL)
		fclose(file);
	return raw_is((const char *)octets, length);
}

/* Reading */

struct reader {
	struct zone *zone;
	const uint8_t *at;
	const uint8_t *end;
};

/* So many octets; NULL if there are fewer. */
static const uint8_t *
take(struct reader *r, size_t length)
{
	const uint8_t *at = r->at;

	if ((size_t)(r->end - at) < length)
		return NULL;
	r->at += length;
	return at;
}

static const char *
read_data(struct reader *r, struct zone_owner *owner, uint16_t type,
    uint32_t ttl)
{
	const uint8_t *octets = take(r, 2);
	const char *why = "out of memory";
	uint16_t length;

	if (octets == NULL)
		return "unexpected end of input";
	length = dns_get16(octets);
	octets = take(r, length);
	if (octets == NULL)
		return "unexpected end of input";
	if (!dns_rdata_check(type, octets, length))
		return "bad data of a record";
	return zone_add(r->zone, owner, type, &ttl, octets, length, &why) ==
	    -1 ? why : NULL;
}

/* An RRset with its owner. NULL, or why it is bad. */
static const char *
read_set(struct reader *r)
{
	const uint8_t *head = take(r, SET_HEAD), *name;
	const char *why = NULL;
	struct zone_owner *owner;
	uint16_t type, size;

	if (head == NULL)
		return "unexpected end of input";
	type = dns_get16(head + 6);
	size = dns_get16(head + 18);
	name = take(r, size);
	if (name == NULL || size == 0 || dns_name_check(name, size) != size)
		return "bad name";
	if (dns_get16(head + 4) != DNS_CLASS_IN || !dns_type_is_data(type))
		return "bad class or type";
	if (!dns_name_within(name, r->zone->apex.bytes))
		return "not at top of zone";
	owner = zone_get_owner(r->zone, name);
	if (owner == NULL)
		return "out of memory";
	zone_begin_run(r->zone);
	for (uint32_t n = dns_get32(head + 14); n > 0 && why == NULL; n--)
		why = read_data(r, owner, type, dns_get32(head + 10));
	return why;
}

int
raw_parse(struct zone *zone, const uint8_t *bytes, size_t length,
    const char **why)
{
	struct reader r = { zone, bytes, bytes + length };
	uint32_t version;

	*why = "unexpected end of input";
	if (length < HEAD_MIN)
		return -1;
	version = dns_get32(bytes + 4);
	*why = "not implemented";
	if (version > 1)
		return -1;
	*why = take(&r, version == 0 ? HEAD_MIN : HEAD_SIZE) == NULL ?
	    "unexpected end of input" : NULL;
	while (*why == NULL && r.at < r.end)
		*why = read_set(&r);
	return *why == NULL ? 0 : -1;
}

int
raw_load(struct zone *zone, const char *path, const char **why)
{
	size_t length;
	char *bytes = source_read(path, &length, why);
	struct stat status;
	int result;

	if (bytes == NULL)
		return -1;
	if (stat(path, &status) == 0) {
		zone->print = source_print(zone->print, &status);
		text_append(&zone->sources, path, strlen(path) + 1);
	}
	result = raw_parse(zone, (const uint8_t *)bytes, length, why);
	free(bytes);
	return result;
}

/* Writing */

static void
put16(struct text *to, uint16_t number)
{
	uint8_t octets[2];

	dns_put16(octets, number);
	text_append(to, octets, sizeof(octets));
}

static void
put32(struct text *to, uint32_t number)
{
	put16(to, number >> 16);
	put16(to, number & 0xffff);
}

static void
put_set(const struct zone_owner *owner, const struct zone_rrset *rrset,
    struct text *to)
{
	size_t size = SET_HEAD + owner->length;
	uint32_t count = 0;

	for (const struct zone_rdata *rdata = rrset->first; rdata != NULL;
	    rdata = rdata->next) {
		size += 2 + rdata->length;
		count++;
	}
	put32(to, size);
	put16(to, DNS_CLASS_IN);
	put16(to, rrset->type);
	put16(to, zone_covers(rrset));
	put32(to, rrset->ttl);
	put32(to, count);
	put16(to, owner->length);
	text_append(to, owner->name, owner->length);
	for (const struct zone_rdata *rdata = rrset->first; rdata != NULL;
	    rdata = rdata->next) {
		put16(to, rdata->length);
		text_append(to, rdata->octets, rdata->length);
	}
}

static int
flush(struct text *text, FILE *to)
{
	size_t written = text->length > 0 ?
	    fwrite(text->bytes, text->length, 1, to) : 1;

	text_truncate(text, 0);
	return written == 1 ? 0 : -1;
}

int
raw_dump(const struct zone *zone, uint32_t serial, FILE *to)
{
	struct text text = TEXT_EMPTY;
	int result = 0;

	put32(&text, FORM);
	put32(&text, 1);
	put32(&text, time(NULL));
	put32(&text, serial != 0 ? HAS_SERIAL : 0);
	put32(&text, serial);
	put32(&text, 0);	/* it was not transferred */
	for (const struct zone_owner *owner = zone->first;
	    owner != NULL && result == 0; owner = zone_next(owner)) {
		for (const struct zone_rrset *rrset = owner->rrsets;
		    rrset != NULL; rrset = rrset->next)
			put_set(owner, rrset, &text);
		result = flush(&text, to);
	}
	text_clear(&text);
	return fflush(to) == 0 ? result : -1;
}
