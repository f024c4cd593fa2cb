/* trace - whatever a log holds: no story breaks a line, and its JSON is clean */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "trace/trace.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
print(const struct trace_story *story, void *context)
{
	static struct listed_recipient recipient = { "", "bob\033@y.org", "450\nlater" };
	static const struct listed_message message = { "deferred", "AAAAAA1",
	    0, 300, false, "ada\007@x.org", "", &recipient, 1 };
	const struct trace_waiting waiting = { &message, 1000, 10 };

	trace_print(context, story, &waiting);
	trace_print_json(context, story, &waiting);
}

/* The first line of the input is the question. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *at = (const char *)bytes;
	const char *end = length == 0 ? NULL : memchr(at, '\n', length);
	char *printed = NULL;
	size_t size;

	if (end == NULL)
		return 0;

	char *question = mem_strndup(at, (size_t)(end - at));
	struct trace *trace = trace_new(question, 3, 4096);

	free(question);
	if (trace == NULL)
		return 0;
	for (length -= (size_t)(end + 1 - at), at = end + 1; length > 0;
	    length -= (size_t)(end + 1 - at), at = end + 1) {
		end = memchr(at, '\n', length);
		if (end == NULL)
			break;
		trace_take(trace, at, (size_t)(end - at));
	}

	FILE *out = open_memstream(&printed, &size);

	trace_each(trace, print, out);
	fclose(out);
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)printed[i] < 0x20 && printed[i] != '\n')
			abort();
	}
	free(printed);
	trace_free(&trace);
	return 0;
}
