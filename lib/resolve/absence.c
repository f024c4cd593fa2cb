/* How long it counts that something is not there: RFC 2308 section 5. */

#include "dns/message.h"
#include "resolve/internal.h"

unsigned
absence_ttl(const unsigned char *bytes, size_t length)
{
	size_t at = DNS_HEADER_SIZE;
	struct dns_record record;
	unsigned questions, records;

	if (bytes == NULL || length < DNS_HEADER_SIZE)
		return 0;
	questions = dns_get16(bytes + 4);
	records = dns_get16(bytes + 6) + dns_get16(bytes + 8);
	for (; questions > 0; questions--)
		if (!dns_question_skip(bytes, length, &at))
			return 0;
	for (; records > 0; records--) {
		if (!dns_record_read(&record, bytes, length, &at))
			return 0;
		/* Its last number is the TTL of what is not there. */
		if (record.type == DNS_TYPE_SOA && record.length >= 22) {
			uint32_t minimum = dns_get32(bytes + record.data +
			    record.length - 4);

			return minimum < record.ttl ? minimum : record.ttl;
		}
	}
	return 0;
}
