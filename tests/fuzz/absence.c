/* absence - an answer of the DNS without records: whatever its bytes, a TTL or none */

#include <stdint.h>

#include "resolve/internal.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	absence_ttl(bytes, length);
	return 0;
}
