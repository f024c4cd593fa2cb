/* dns_message - any octets as a question, and as a message whose records are checked, printed and read again */

#include <stdint.h>
#include <stdlib.h>

#include "base/base.h"
#include "dns/dns.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct dns_query query;
	struct dns_record record;
	struct text text = TEXT_EMPTY;
	size_t at = DNS_HEADER_SIZE;

	if (dns_query_parse(&query, bytes, length) != DNS_DROP &&
	    query.end > length)
		abort();
	if (length < DNS_HEADER_SIZE ||
	    !dns_question_skip(bytes, length, &at))
		return 0;
	while (dns_record_read(&record, bytes, length, &at)) {
		const uint8_t *rdata = bytes + record.data;

		if (dns_name_check(record.owner.bytes, record.owner.length) !=
		    record.owner.length)
			abort();
		if (dns_rdata_check(record.type, rdata, record.length))
			dns_rdata_print(record.type, rdata, record.length,
			    &text);
	}
	text_clear(&text);
	return 0;
}
