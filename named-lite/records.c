#include "named-lite/records.h"

#include <string.h>

#include "dns/rdata.h"
#include "named-lite/reply.h"

#define HEAD	8	/* type, time to live, length */

void
record_put(struct text *to, const struct record *record)
{
	uint8_t head[HEAD];

	text_putc(to, record->sign);
	text_append(to, record->owner, dns_name_length(record->owner));
	dns_put16(head, record->type);
	dns_put32(head + 2, record->ttl);
	dns_put16(head + 6, record->length);
	text_append(to, head, sizeof(head));
	if (record->length > 0)
		text_append(to, record->rdata, record->length);
}

int
record_next(struct record *record, const uint8_t *bytes, size_t size,
    size_t *at)
{
	size_t name;

	if (*at == size)
		return 0;
	record->sign = bytes[*at];
	record->owner = bytes + *at + 1;
	name = dns_name_check(record->owner, size - *at - 1);
	if (name == 0 || size - *at - 1 - name < HEAD || (record->sign !=
	    RECORD_ADDED && record->sign != RECORD_REMOVED))
		return -1;

	const uint8_t *head = record->owner + name;

	record->type = dns_get16(head);
	record->ttl = dns_get32(head + 2);
	record->length = dns_get16(head + 6);
	record->rdata = head + HEAD;
	*at += 1 + name + HEAD;
	if (size - *at < record->length || !dns_type_is_data(record->type) ||
	    !dns_rdata_check(record->type, record->rdata, record->length))
		return -1;
	*at += record->length;
	return 1;
}

uint32_t
record_serial(const uint8_t *rdata, size_t length)
{
	return dns_get32(rdata + length - 20);
}

bool
record_is_newer(uint32_t a, uint32_t b)
{
	return a != b && (int32_t)(a - b) > 0;
}

/*
 * What stands in an image are octets of answers. So an RRset is made into
 * an answer once more, whose records are then read as anybody reads them.
 */

int
record_expand(const uint8_t *message, size_t used,
    const struct dns_record *from, uint8_t to[DNS_RDATA_MAX])
{
	size_t at = from->data, end = from->data + from->length;
	size_t length = 0;

	for (const char *field = dns_type_fields(from->type); at < end;
	    field++) {
		size_t size = *field != '\0' ?
		    dns_field_size(*field, message + at, end - at) : 0;

		if (*field == 'N' || *field == 'n') {
			struct dns_name name;

			if (!dns_name_unpack(&name, message, used, &at) ||
			    length + name.length > DNS_RDATA_MAX)
				return -1;
			memcpy(to + length, name.bytes, name.length);
			length += name.length;
			continue;
		}
		if (size == 0)
			size = end - at;
		if (length + size > DNS_RDATA_MAX)
			return -1;
		memcpy(to + length, message + at, size);
		length += size;
		at += size;
		if (*field == '\0')
			break;
	}
	return at == end ? (int)length : -1;
}

void
records_of_rrset(const struct image_node *node,
    const struct image_rrset *rrset, record_each *each, void *argument)
{
	static uint8_t message[2 * DNS_MESSAGE_MAX], rdata[DNS_RDATA_MAX];
	struct reply reply = { .out = message, .used = DNS_HEADER_SIZE,
	    .limit = sizeof(message) };
	size_t at = DNS_HEADER_SIZE;
	struct dns_record from;

	if (!reply_add(&reply, SECTION_ANSWER, rrset, 0, image_node_name(node)))
		return;
	while (at < reply.used && dns_record_read(&from, message, reply.used,
	    &at)) {
		int length = record_expand(message, reply.used, &from,
		    rdata);
		struct record record = { RECORD_ADDED, image_node_name(node),
		    from.type, from.ttl, length, rdata };

		if (length >= 0)
			each(argument, &record);
	}
}

void
records_of_node(const struct image_node *node, record_each *each,
    void *argument)
{
	const struct image_rrset *rrset = image_node_rrsets(node);

	for (unsigned i = 0; i < node->rrset_count; i++) {
		records_of_rrset(node, rrset, each, argument);
		rrset = image_rrset_next(rrset);
	}
}
