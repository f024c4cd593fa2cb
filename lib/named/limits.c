/* limits - how often and how long we answer: rate limits, padding, cookies */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "named/statements.h"

#define FIELD(name, shape, field) \
	{ name, 0, STATEMENT_SERVED, shape, BASE_OTHER, \
	    offsetof(struct image_rate_limit, field), NULL }

static const struct statement rate_rows[] = {
	FIELD("all-per-second", NUMBER(0, 1000), all),
	FIELD("errors-per-second", NUMBER(0, 1000), errors),
	FIELD("exempt-clients", ACL, exempt),
	FIELD("ipv4-prefix-length", NUMBER(1, 32), ipv4_prefix),
	FIELD("ipv6-prefix-length", NUMBER(1, 128), ipv6_prefix),
	FIELD("log-only", BOOL, log_only),
	FIELD("max-table-size", ANY_NUMBER, max_table_size),
	FIELD("min-table-size", ANY_NUMBER, min_table_size),
	FIELD("nodata-per-second", NUMBER(0, 1000), nodata),
	FIELD("nxdomains-per-second", NUMBER(0, 1000), nxdomains),
	FIELD("qps-scale", ANY_NUMBER, qps_scale),
	FIELD("referrals-per-second", NUMBER(0, 1000), referrals),
	FIELD("responses-per-second", NUMBER(0, 1000), responses),
	FIELD("slip", NUMBER(0, 10), slip),
	FIELD("window", NUMBER(1, 3600), window),
};

void
set_rate_limit(struct target *to, const struct conf_statement *at)
{
	static const struct statement_table table = { rate_rows,
	    COUNT_OF(rate_rows) };
	struct settings *settings = to->settings;
	struct image_rate_limit limit = {
		.referrals = UNSET, .nodata = UNSET, .nxdomains = UNSET,
		.errors = UNSET, .window = 15, .slip = 2, .ipv4_prefix = 24,
		.ipv6_prefix = 56, .min_table_size = 500,
		.max_table_size = 20000,
	};
	uint32_t *const like_responses[] = { &limit.referrals, &limit.nodata,
	    &limit.nxdomains, &limit.errors };

	/* No list: nobody is exempt. */
	limit.exempt = acls_add_simple(&settings->acls, false);
	to->other = &limit;
	statements_apply(to, value_block(to, at, at->items->next), &table, 0);
	for (size_t i = 0; i < COUNT_OF(like_responses); i++)
		if (*like_responses[i] == UNSET)
			*like_responses[i] = limit.responses;
	if (limit.max_table_size < limit.min_table_size)
		limit.max_table_size = limit.min_table_size;
	limit.is_on = true;
	settings->image.rate_limit = limit;
}

/* { clients } block-size N */
void
set_response_padding(struct target *to, const struct conf_statement *at)
{
	struct settings *settings = to->settings;
	const struct conf_item *list = at->items->next;
	const struct conf_item *word = list != NULL ? list->next : NULL;
	const char *wrong = "missing";
	long long size = 0;

	if (list == NULL || list->kind != CONF_BLOCK || word == NULL ||
	    word->text == NULL || strcasecmp(word->text, "block-size") != 0 ||
	    word->next == NULL || word->next->text == NULL) {
		conf_error(&settings->conf, at, "expected: response-padding "
		    "{ clients; } block-size N;");
		return;
	}
	size = strtonum(word->next->text, 0, UINT32_MAX, &wrong);
	if (wrong != NULL) {
		conf_error(&settings->conf, at, "expected number near '%s'",
		    word->next->text);
		return;
	}
	if (size > 512) {
		conf_warning(at, "response-padding block-size cannot exceed "
		    "512: lowering");
		size = 512;
	}
	settings->image.padding_block = size;
	settings->image.padding_acl = acls_add(&settings->acls, at,
	    list->block);
}

/* 128 bits of SipHash's key, hexadecimal; the first one makes cookies, all are taken. */
void
set_cookie_secret(struct target *to, const struct conf_statement *at)
{
	struct image_header *image = &to->settings->image;
	const struct conf_item *item = value_item(to, at);
	uint8_t *secret = image->cookie_secrets[image->cookie_secret_count];
	size_t length;

	if (item == NULL)
		return;
	length = strlen(item->text);
	if (strspn(item->text, "0123456789abcdefABCDEF") != length ||
	    length % 2 != 0)
		conf_error(&to->settings->conf, at, "cookie-secret: invalid "
		    "hex string");
	else if (length != 2 * IMAGE_COOKIE_SECRET)
		conf_error(&to->settings->conf, at, "SipHash-2-4 cookie-secret "
		    "must be 128 bits");
	else if (image->cookie_secret_count == IMAGE_COOKIE_SECRETS)
		conf_error(&to->settings->conf, at, "more than %d of "
		    "cookie-secret", IMAGE_COOKIE_SECRETS);
	else {
		for (size_t i = 0; i < IMAGE_COOKIE_SECRET; i++) {
			char pair[3] = { item->text[2 * i],
			    item->text[2 * i + 1], '\0' };

			secret[i] = strtoul(pair, NULL, 16);
		}
		image->cookie_secret_count++;
	}
}
