#include "message/verp.h"

#include <string.h>

const char *
verp_complaint(const char *delimiters, const char *permitted)
{
	if (strlen(delimiters) != 2)
		return "bad VERP delimiter character count";
	if (strchr(permitted, delimiters[0]) == NULL)
		return "bad first VERP delimiter character";
	if (strchr(permitted, delimiters[1]) == NULL)
		return "bad second VERP delimiter character";
	return NULL;
}

static size_t
localpart_length(const char *address)
{
	const char *at = strrchr(address, '@');

	return at == NULL ? strlen(address) : (size_t)(at - address);
}

void
verp_sender(struct text *out, const char *delimiters, const char *sender,
    const char *recipient)
{
	size_t sent = localpart_length(sender);
	size_t received = localpart_length(recipient);

	text_truncate(out, 0);
	text_append(out, sender, sent);
	text_putc(out, delimiters[0]);
	text_append(out, recipient, received);
	if (recipient[received] == '@') {
		text_putc(out, delimiters[1]);
		text_puts(out, recipient + received + 1);
	}
	text_puts(out, sender + sent);
}
