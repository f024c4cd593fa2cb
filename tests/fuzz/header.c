/* header - fields follow one another without gaps, and lie within the message */

#include <stdint.h>
#include <stdlib.h>

#include "message/header.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *text = (const char *)bytes;
	struct header_walk walk = { text, length, 0 };
	struct header_field field;
	struct text value = TEXT_EMPTY;

	while (header_next(&walk, &field)) {
		if (field.raw_length == 0 || field.name_length == 0 ||
		    field.raw + field.raw_length != text + walk.position ||
		    field.value + field.value_length > text + walk.position)
			abort();
		text_truncate(&value, 0);
		header_unfold(&value, &field);
		if (value.length > field.value_length + 1)
			abort();
	}
	if (header_body(text, length) > length)
		abort();
	text_clear(&value);
	return 0;
}
