/* screen - a row of the cache that is printed reads as the same again */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "screen/screen.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char *row = mem_strndup((const char *)bytes, length);
	char printed[SCREEN_ROW_SIZE];
	struct screen_passes passes, again;

	if (screen_passes_parse(row, &passes) == 0) {
		screen_passes_print(&passes, printed);
		if (screen_passes_parse(printed, &again) == -1 ||
		    memcmp(&passes, &again, sizeof(passes)) != 0)
			abort();
	}
	free(row);
	return 0;
}
