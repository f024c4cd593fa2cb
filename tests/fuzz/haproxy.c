/* haproxy - whatever comes before the client, no more of it is used than came, and it reads the same with less behind it */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "smtp/haproxy.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct haproxy first, second;
	ssize_t used = haproxy_parse((const char *)bytes, length, &first);

	if (used > (ssize_t)length || used > HAPROXY_HEADER_MAX)
		abort();
	if (used > 0 && (haproxy_parse((const char *)bytes, (size_t)used,
	    &second) != used || memcmp(&first, &second, sizeof(first)) != 0))
		abort();
	return 0;
}
