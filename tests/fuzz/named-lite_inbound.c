/* named-lite_inbound - any messages as a transfer; what comes out of it must read as records */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "dns/dns.h"
#include "named-lite/envoy/inbound.h"
#include "named-lite/parcel.h"
#include "zone/zone.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
open_parcel(struct inbound *in)
{
	static const uint64_t seed[2] = { 1, 3 };
	static const struct zone_rules rules = { .max_ttl = UINT32_MAX };
	const struct image none = { NULL, NULL, 0 };
	const char *why;
	int fd = inbound_seal(in);
	struct zone *zone = parcel_open(fd, &none, &in->apex, &rules, seed,
	    &why);

	zone_free(&zone);
	fd_close(&fd);
}

/* The first octet chooses the question, two more the length of each message. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct inbound in = { .apex = { 8, "\1a\4test" }, .id = 7,
	    .serial = 1, .most = 1 << 20 };
	uint8_t message[DNS_MESSAGE_MAX];
	const char *why = NULL;
	unsigned rcode;
	size_t at = 1;

	if (length == 0)
		return 0;
	in.type = bytes[0] & 1 ? DNS_TYPE_IXFR : DNS_TYPE_AXFR;
	inbound_init(&in);
	while (why == NULL && !inbound_is_complete(&in) && length - at >= 2) {
		size_t size = dns_get16(bytes + at);

		at += 2;
		if (size > length - at)
			size = length - at;
		memcpy(message, bytes + at, size);
		at += size;
		why = inbound_message(&in, message, size, &rcode);
	}
	if (why == NULL && in.state == INBOUND_END)
		open_parcel(&in);
	inbound_clear(&in);
	return 0;
}
