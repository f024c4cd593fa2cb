/* The results of a delivery, as an agent or a file in defer/ has them: what is read is written, and read the same. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "delivery/delivery.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct pool *pool = pool_new(64 << 20);
	struct text first = TEXT_EMPTY, second = TEXT_EMPTY;
	size_t count, again;
	struct delivery_result *results = delivery_results_decode(pool,
	    (const char *)bytes, length, &count);

	if (results != NULL) {
		for (size_t i = 0; i < count; i++)
			delivery_result_encode(&first, &results[i]);
		results = delivery_results_decode(pool, text_string(&first),
		    first.length, &again);
		if (results == NULL || again != count)
			abort();
		for (size_t i = 0; i < count; i++)
			delivery_result_encode(&second, &results[i]);
		if (first.length != second.length ||
		    memcmp(text_string(&first), text_string(&second),
		    first.length) != 0)
			abort();
	}
	text_clear(&first);
	text_clear(&second);
	pool_free(&pool);
	return 0;
}
