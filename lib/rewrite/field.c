/* field - the addresses that stand in a header field */

#include "rewrite/rewrite.h"

#include <string.h>

#include "address/address.h"
#include "base/base.h"

/* Whose addresses these hold. */
static const struct {
	const char	*name;
	int		 class;
} fields[] = {
	{ "From",			REWRITE_HEADER_SENDER },
	{ "To",				REWRITE_HEADER_RECIPIENT },
	{ "Cc",				REWRITE_HEADER_RECIPIENT },
	{ "Reply-To",			REWRITE_HEADER_SENDER },
	{ "Sender",			REWRITE_HEADER_SENDER },
	{ "Resent-From",		REWRITE_HEADER_SENDER },
	{ "Resent-Sender",		REWRITE_HEADER_SENDER },
	{ "Resent-Reply-To",		REWRITE_HEADER_RECIPIENT },
	{ "Resent-To",			REWRITE_HEADER_RECIPIENT },
	{ "Resent-Cc",			REWRITE_HEADER_RECIPIENT },
	{ "Apparently-To",		REWRITE_HEADER_RECIPIENT },
	{ "Errors-To",			REWRITE_HEADER_SENDER },
	{ "Mail-Followup-To",		REWRITE_HEADER_SENDER },
	{ "Return-Receipt-To",		REWRITE_HEADER_SENDER },
	{ "Disposition-Notification-To", REWRITE_HEADER_SENDER },
};

int
rewrite_field_class(const struct header_field *field)
{
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (header_is(field, fields[i].name))
			return fields[i].class;
	return 0;
}

void
rewrite_put_field(struct text *out, const struct header_field *field)
{
	const char *colon = memchr(field->raw + field->name_length, ':',
	    field->raw_length - field->name_length);

	text_append(out, field->raw, field->name_length);
	text_append(out, colon,
	    (size_t)(field->raw + field->raw_length - colon));
}

bool
rewrite_field(struct text *out, const struct header_field *field,
    rewrite_change *change, void *argument)
{
	struct address_list list = { .text = field->value,
	    .length = field->value_length };
	struct address_found found;
	struct text address = TEXT_EMPTY;
	size_t begin = out->length, copied = 0;
	bool changed = false, worked = true;

	text_append(out, field->raw, field->name_length);
	text_puts(out, ": ");
	while (worked && address_list_next(&list, &found)) {
		if (found.too_long || *found.address == '\0')
			continue;
		text_truncate(&address, 0);
		text_puts(&address, found.address);
		worked = change(&address, argument) == 0;
		if (strcmp(text_string(&address), found.address) == 0)
			continue;
		text_append(out, field->value + copied, found.start - copied);
		address_quote(out, text_string(&address));
		copied = found.start + found.length;
		changed = true;
	}
	text_append(out, field->value + copied, field->value_length - copied);
	text_putc(out, '\n');
	if (!changed) {
		text_truncate(out, begin);
		rewrite_put_field(out, field);
	}
	text_clear(&address);
	return worked;
}
