/* envelope - what decodes is encoded and decoded again to the same text */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "message/envelope.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct pool *pool = pool_new(1 << 24);
	struct envelope *envelope = envelope_decode(pool, (const char *)bytes, length);
	struct text first = TEXT_EMPTY, second = TEXT_EMPTY;

	if (envelope != NULL) {
		envelope_encode(envelope, &first);
		envelope = envelope_decode(pool, first.bytes, first.length);
		if (envelope == NULL)
			abort();
		envelope_encode(envelope, &second);
		if (first.length != second.length || memcmp(first.bytes, second.bytes, first.length) != 0)
			abort();
	}
	text_clear(&first);
	text_clear(&second);
	pool_free(&pool);
	return 0;
}
