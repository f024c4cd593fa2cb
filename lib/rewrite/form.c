/* form - addresses in standard form, by the rules of trivial-rewrite(8) */

#include "rewrite/rewrite.h"

#include <string.h>

#include "base/base.h"
#include "config/config.h"

/* "@relay,@other:user@domain" is user@domain (RFC 5321 appendix C). */
static void
strip_source_route(struct text *address)
{
	if (address->length == 0 || address->bytes[0] != '@')
		return;

	const char *colon = strchr(address->bytes, ':');

	if (colon != NULL)
		text_drop(address, (size_t)(colon - address->bytes) + 1);
}

/* "host!user", without a domain, is user@host. */
static void
swap_bang(struct text *address)
{
	char *bang = strchr(text_string(address), '!');

	if (!config.swap_bangpath || bang == NULL || bang[1] == '\0' ||
	    bang == address->bytes)
		return;

	size_t host = (size_t)(bang - address->bytes);
	struct text swapped = TEXT_EMPTY;

	text_append(&swapped, bang + 1, address->length - host - 1);
	text_putc(&swapped, '@');
	text_append(&swapped, address->bytes, host);
	text_clear(address);
	*address = swapped;
}

/* "user%domain", without a domain, is user@domain. */
static void
swap_percent(struct text *address)
{
	char *percent = strrchr(text_string(address), '%');

	if (config.allow_percent_hack && percent != NULL &&
	    percent != address->bytes && percent[1] != '\0')
		*percent = '@';
}

static void
complete(enum rewrite_context context, struct text *address)
{
	const char *domain = strrchr(address->bytes, '@');
	const char *origin = config.myorigin;

	if (context == REWRITE_REMOTE)
		origin = config.remote_header_rewrite_domain;
	if (*origin == '\0')
		return;
	if (domain == NULL) {
		if (context == REWRITE_LOCAL && !config.append_at_myorigin)
			return;
		text_printf(address, "@%s", origin);
		domain = strrchr(address->bytes, '@');
	} else if (domain[1] == '\0') {
		if (config.resolve_null_domain)
			return;
		text_puts(address, origin);	/* "user@" */
		domain = strrchr(address->bytes, '@');
	}
	if (context == REWRITE_LOCAL && config.append_dot_mydomain &&
	    domain[1] != '[' && strchr(domain, '.') == NULL &&
	    strcmp(domain + 1, origin) != 0)
		text_printf(address, ".%s", config.mydomain);
}

void
rewrite_address(enum rewrite_context context, const char *address,
    struct text *out)
{
	text_truncate(out, 0);
	text_puts(out, address);
	if (out->length == 0)
		return;
	strip_source_route(out);
	if (strchr(text_string(out), '@') == NULL) {
		swap_bang(out);
		if (strchr(text_string(out), '@') == NULL)
			swap_percent(out);
	}
	if (out->length == 0)
		return;
	complete(context, out);
	/* "user@domain." is user@domain. */
	if (out->length > 2 && strrchr(out->bytes, '@') != NULL &&
	    out->bytes[out->length - 1] == '.' &&
	    out->bytes[out->length - 2] != '@')
		text_truncate(out, out->length - 1);
}
