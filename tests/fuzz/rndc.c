/* rndc - any octets as a message of the control channel, and behind a code that is good */

#include <stdint.h>
#include <stdlib.h>

#include "rndc/rndc.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
read_one(const void *bytes, size_t length, const struct dns_key *key)
{
	struct rndc_message message;
	const char *why;

	if (rndc_read(&message, bytes, length, key, 1, &why) == 0)
		free(rndc_value(&message, "_data", "type"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct dns_key key = { .algorithm = DNS_HMAC_SHA256,
	    .secret_length = 4, .secret = "abcd" };
	struct text text = TEXT_EMPTY;

	read_one(bytes, length, &key);
	rndc_begin(&text, &key);
	text_append(&text, bytes, length);
	rndc_finish(&text, &key);
	read_one(text.bytes + 4, text.length - 4, &key);
	text_clear(&text);
	return 0;
}
