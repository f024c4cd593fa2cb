/* listing - a stream of public/showq: whatever it says is printed in clean rows and lines, and said again the same */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "listing/listing.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* The messages of a stream as JSON, and the stream that they make. */
static char *
read_all(char *bytes, size_t length, struct text *again)
{
	char *json = NULL;
	size_t size;
	FILE *in = fmemopen(bytes, length, "r"), *out = open_memstream(&json,
	    &size);
	struct pool *pool = pool_new(0);
	struct listed_message message;

	listing_encode_begin(again);
	if (listing_read_begin(in) == 0) {
		while (listing_read(in, pool, &message) == 1) {
			listing_print_json(out, &message);
			listing_encode(again, &message, true);
		}
	}
	listing_encode_end(again);
	fclose(in);
	fclose(out);
	pool_free(&pool);
	return json;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct text first = TEXT_EMPTY, second = TEXT_EMPTY;

	if (length == 0)
		return 0;

	char *once = read_all((char *)(uintptr_t)bytes, length, &first);
	char *twice = read_all(first.bytes, first.length, &second);

	if (strcmp(once, twice) != 0)
		abort();
	for (const char *p = once; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 && *p != '\n')
			abort();
	}
	free(once);
	free(twice);
	text_clear(&first);
	text_clear(&second);
	return 0;
}
