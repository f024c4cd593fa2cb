/* table_server - an answer of a table's server means the same however it is cut, and no more than came */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "table/server.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
hear(const struct table_server *server, const uint8_t *bytes, size_t length)
{
	struct text input = TEXT_EMPTY, first = TEXT_EMPTY, again = TEXT_EMPTY;
	enum table_answer one = TABLE_NONE, other = TABLE_NONE;
	bool is_whole;

	text_append(&input, (const char *)bytes, length);
	is_whole = table_server_hear(server, &input, &one, &first);
	if (first.length > length + 20 || (!is_whole && first.length > 0))
		abort();
	/* What is whole was not whole before its last byte came, or says the same with less behind it. */
	if (is_whole && table_server_hear(server, &input, &other, &again) &&
	    (one != other || strcmp(text_string(&first),
	    text_string(&again)) != 0))
		abort();
	text_clear(&input);
	text_clear(&first);
	text_clear(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct table_server tcp = { 0 },
	    socketmap = { .is_socketmap = true };

	hear(&tcp, bytes, length);
	hear(&socketmap, bytes, length);
	return 0;
}
