/* The parameters of RCPT that ask for reports (RFC 3461 section 4). */

#include "smtp/command.h"

#include <string.h>

#include "base/base.h"

void
smtp_put_orcpt(struct text *out, const char *orcpt)
{
	const char *semicolon = strchr(orcpt, ';');

	if (semicolon == NULL)
		return;
	text_printf(out, " ORCPT=%.*s", (int)(semicolon + 1 - orcpt), orcpt);
	if (smtp_is_utf8_type(orcpt, (size_t)(semicolon - orcpt)))
		smtp_utf8_xtext_encode(out, semicolon + 1);
	else
		smtp_xtext_encode(out, semicolon + 1);
}

void
smtp_put_notify(struct text *out, unsigned notify)
{
	static const struct { unsigned bit; const char *word; } words[] = {
		{ SMTP_NOTIFY_NEVER, "NEVER" },
		{ SMTP_NOTIFY_SUCCESS, "SUCCESS" },
		{ SMTP_NOTIFY_FAILURE, "FAILURE" },
		{ SMTP_NOTIFY_DELAY, "DELAY" },
	};
	const char *before = " NOTIFY=";

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (!(notify & words[i].bit))
			continue;
		text_printf(out, "%s%s", before, words[i].word);
		before = ",";
	}
}
