#include "delivery/verify.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "address/address.h"
#include "base/base.h"
#include "config/config.h"

/* Letters and digits without vowels, so that no word comes of it. */
static const char digits[] = "0123456789bcdfghjklmnpqrstvwxyz";

/* Append the number of the current period, or one of those before, to out. */
static void
append_period(struct text *out, int before)
{
	uint64_t period = (uint64_t)time(NULL) /
	    (uint64_t)config.address_verify_sender_ttl - (uint64_t)before;
	char room[24], *at = room + sizeof(room);

	*--at = '\0';
	for (; period > 0; period /= sizeof(digits) - 1)
		*--at = digits[period % (sizeof(digits) - 1)];
	text_puts(out, at);
}

static void
make_sender(struct text *out, int before)
{
	const char *wanted = config.address_verify_sender;
	size_t local = address_localpart_length(wanted);

	if (*wanted == '\0' || strcmp(wanted, "<>") == 0)
		return;
	text_append(out, wanted, local);
	if (config.address_verify_sender_ttl > 0)
		append_period(out, before);
	text_puts(out, wanted + local);
}

void
verify_sender(struct text *out)
{
	make_sender(out, 0);
}

bool
verify_is_sender(const char *localpart)
{
	bool is_one = false;

	for (int before = 0; before < 2 && !is_one; before++) {
		struct text sender = TEXT_EMPTY;

		make_sender(&sender, before);
		if (sender.length > 0) {
			sender.bytes[address_localpart_length(sender.bytes)] = '\0';
			is_one = text_equal_nocase(sender.bytes, localpart);
		}
		text_clear(&sender);
	}
	return is_one;
}
