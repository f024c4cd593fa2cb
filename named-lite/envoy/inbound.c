#include "named-lite/envoy/inbound.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "dns/dns.h"
#include "named-lite/parcel.h"
#include "named-lite/records.h"

void
inbound_init(struct inbound *in)
{
	static const struct parcel_header empty;

	in->state = INBOUND_START;
	text_append(&in->parcel, &empty, sizeof(empty));
}

void
inbound_clear(struct inbound *in)
{
	text_clear(&in->parcel);
	text_clear(&in->first_soa);
}

static void
put(struct inbound *in, const struct record *record, char sign)
{
	struct record copy = *record;

	copy.sign = sign;
	record_put(&in->parcel, &copy);
}

/* The second record: differences begin with the SOA that we have. */
static void
take_second(struct inbound *in, const struct record *record, bool is_soa)
{
	uint32_t serial = is_soa ? record_serial(record->rdata,
	    record->length) : 0;

	if (is_soa && in->type == DNS_TYPE_IXFR && serial == in->serial &&
	    serial != in->target) {
		put(in, record, RECORD_REMOVED);
		in->state = INBOUND_REMOVED;
		return;
	}
	text_append(&in->parcel, in->first_soa.bytes, in->first_soa.length);
	in->state = INBOUND_WHOLE;
	if (is_soa && serial == in->target)
		in->state = INBOUND_END;	/* a zone of a SOA: the loader will not have it */
	else
		put(in, record, RECORD_ADDED);
}

/* A SOA between differences, or behind everything. */
static const char *
take_soa(struct inbound *in, const struct record *record)
{
	uint32_t serial = record_serial(record->rdata, record->length);

	switch (in->state) {
	case INBOUND_WHOLE:
		if (serial != in->target)
			return "the last SOA is not the first";
		in->state = INBOUND_END;
		return NULL;
	case INBOUND_REMOVED:
		in->step = serial;
		in->state = INBOUND_ADDED;
		put(in, record, RECORD_ADDED);
		return NULL;
	default:
		if (serial != in->step)
			return "differences that do not follow one another";
		if (serial == in->target) {
			in->state = INBOUND_END;
			return NULL;
		}
		in->state = INBOUND_REMOVED;
		put(in, record, RECORD_REMOVED);
		return NULL;
	}
}

static const char *
take_first(struct inbound *in, const struct record *record, bool is_soa)
{
	struct record copy = *record;

	if (!is_soa)
		return "the first record is not the SOA";
	in->target = record_serial(record->rdata, record->length);
	if (in->type == DNS_TYPE_IXFR &&
	    !record_is_newer(in->target, in->serial)) {
		in->state = INBOUND_UP_TO_DATE;
		return NULL;
	}
	copy.sign = RECORD_ADDED;
	record_put(&in->first_soa, &copy);
	in->state = INBOUND_SECOND;
	return NULL;
}

static const char *
take(struct inbound *in, const struct record *record)
{
	bool is_soa = record->type == DNS_TYPE_SOA;

	if (!dns_name_within(record->owner, in->apex.bytes))
		return "a record is out of zone";
	if (is_soa && !dns_name_equal(record->owner, in->apex.bytes))
		return "a SOA that is not at the top";
	in->records++;
	if (in->parcel.length > in->most ||
	    (in->most_records > 0 && in->records > in->most_records))
		return "too many records";
	switch (in->state) {
	case INBOUND_START:
		return take_first(in, record, is_soa);
	case INBOUND_SECOND:
		take_second(in, record, is_soa);
		return NULL;
	case INBOUND_END:
	case INBOUND_UP_TO_DATE:
		return "extra records behind the last SOA";
	default:
		if (is_soa)
			return take_soa(in, record);
		put(in, record, in->state == INBOUND_REMOVED ?
		    RECORD_REMOVED : RECORD_ADDED);
		return NULL;
	}
}

static const char *
take_records(struct inbound *in, const uint8_t *message, size_t length,
    size_t at)
{
	static uint8_t rdata[DNS_RDATA_MAX];
	unsigned count = dns_get16(message + 6);

	for (unsigned i = 0; i < count; i++) {
		struct dns_record from;
		struct record record;
		const char *why;
		int size;

		if (!dns_record_read(&from, message, length, &at))
			return "malformed message";
		size = record_expand(message, length, &from, rdata);
		if (size == -1 || from.class != DNS_CLASS_IN ||
		    !dns_type_is_data(from.type) ||
		    !dns_rdata_check(from.type, rdata, size))
			return "malformed record";
		record = (struct record) { RECORD_ADDED, from.owner.bytes,
		    from.type, from.ttl, size, rdata };
		why = take(in, &record);
		if (why != NULL)
			return why;
	}
	return NULL;
}

const char *
inbound_message(struct inbound *in, const uint8_t *message, size_t length,
    unsigned *rcode)
{
	size_t at = DNS_HEADER_SIZE;
	struct dns_name name;
	unsigned questions;

	*rcode = 0;
	if (length < DNS_HEADER_SIZE || dns_get16(message) != in->id ||
	    (dns_get16(message + 2) & (DNS_QR | DNS_OPCODE | DNS_TC)) != DNS_QR)
		return "malformed message";
	*rcode = dns_get16(message + 2) & DNS_RCODE;
	if (*rcode != 0)
		return "unexpected rcode";
	questions = dns_get16(message + 4);
	if (questions > 1)
		return "malformed message";
	if (questions == 1) {
		if (!dns_name_unpack(&name, message, length, &at) ||
		    length - at < 4 || dns_get16(message + at) != in->type ||
		    !dns_name_equal(name.bytes, in->apex.bytes))
			return "an answer to another question";
		at += 4;
	}
	in->messages++;
	if (dns_get16(message + 6) == 0)
		return "a message without records";
	return take_records(in, message, length, at);
}

int
inbound_seal(struct inbound *in)
{
	struct parcel_header header = {
		.magic = PARCEL_MAGIC,
		.is_whole = in->first_soa.length > 0 && (in->parcel.length >
		    sizeof(header)) && in->parcel.bytes[sizeof(header)] ==
		    RECORD_ADDED,
		.from = in->serial,
		.to = in->target,
	};
	int fd = memfd_create("parcel", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return -1;
	memcpy(in->parcel.bytes, &header, sizeof(header));
	if (fd_write_all(fd, in->parcel.bytes, in->parcel.length) == -1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE | F_SEAL_SEAL) == -1)
		fd_close(&fd);
	return fd;
}
