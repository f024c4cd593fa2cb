/* replay - a main() for a libFuzzer entry where libFuzzer is not: runs it over the files it is given */

#include <err.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/fd.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t length;
		char *bytes = file_read(argv[i], 1 << 24, &length);

		if (bytes == NULL)
			err(1, "%s", argv[i]);
		LLVMFuzzerTestOneInput((const uint8_t *)bytes, length);
		free(bytes);
	}
	return 0;
}
