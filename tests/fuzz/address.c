/* address - what reads as a path is quoted, and reads as the same again; fields end */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "address/address.h"

static void
walk(const char *text, size_t length, bool is_spaced)
{
	struct address_list list = { .text = text, .length = length,
	    .is_spaced = is_spaced };
	struct address_found found;
	size_t before = 0;

	while (address_list_next(&list, &found)) {
		if (list.position <= before ||
		    found.start + found.length > length)
			abort();
		before = list.position;
	}
}

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *text = (const char *)bytes, *why;
	char address[ADDRESS_SIZE], again[ADDRESS_SIZE];

	if (address_path_parse(text, length, address, &why) != -1) {
		struct text quoted = TEXT_EMPTY;

		text_putc(&quoted, '<');
		address_quote(&quoted, address);
		text_putc(&quoted, '>');
		if (address_path_parse(quoted.bytes, quoted.length, again,
		    &why) == -1 || strcmp(address, again) != 0)
			abort();
		text_clear(&quoted);
	}

	walk(text, length, false);
	walk(text, length, true);
	return 0;
}
