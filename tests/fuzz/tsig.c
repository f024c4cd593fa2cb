/* tsig - any message as a signed request, and as the answer to one */

#include <stdint.h>
#include <string.h>

#include "dns/dns.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct dns_key key = { .algorithm = DNS_HMAC_SHA256,
	    .mac_length = 32, .secret_length = 4, .secret = "abcd",
	    .name = { 3, "\1k" } };
	static uint8_t message[DNS_MESSAGE_MAX + DNS_TSIG_MAX];
	struct dns_tsig_record record;
	struct dns_tsig tsig;
	bool is_signed;

	if (length < DNS_HEADER_SIZE || length > DNS_MESSAGE_MAX)
		return 0;
	memcpy(message, bytes, length);
	if (dns_tsig_find(&record, message, length) == 1 &&
	    dns_tsig_receive(&tsig, &key, 1, message, &record, 1) != 1)
		dns_tsig_sign(&tsig, message, record.at, 1);
	memcpy(message, bytes, length);
	dns_tsig_start(&tsig, &key);
	length = dns_tsig_sign(&tsig, message, length, 1);
	dns_tsig_verify(&tsig, message, &length, 1, &is_signed);
	dns_tsig_clear(&tsig);
	return 0;
}
