/* claim - of what a user wrote, what is his to say */

#include "pickup/pickup.h"

#include <string.h>

#include "config/config.h"
#include "message/dot.h"
#include "message/verp.h"

/* He knows his own submissions by it, and cannot name another user's. "" if he gave none. */
static const char *
own_token(struct pool *pool, const char *given, uid_t uid)
{
	return envelope_is_user_token(given) ?
	    pool_printf(pool, "submit/%ld.%s", (long)uid, given) : "";
}

void
claim_apply_options(struct envelope *envelope)
{
	if (list_has_word(config.receive_override_options,
	    "no_address_mappings"))
		envelope->flags |= ENVELOPE_NO_EXPAND;
	if (list_has_word(config.receive_override_options,
	    "no_header_body_checks"))
		envelope->flags |= ENVELOPE_NO_CHECKS;
	envelope->filter = config.content_filter;
}

struct envelope *
claim_envelope(struct pool *pool, const struct envelope *given, uid_t uid,
    int64_t arrival_us)
{
	struct envelope *kept = envelope_new(pool);

	if (kept == NULL)
		return NULL;
	kept->arrival_us = arrival_us;
	kept->sender = given->sender;
	kept->flags = given->flags & ENVELOPE_OF_USERS;
	kept->dsn_envid = given->dsn_envid;
	kept->dsn_ret = given->dsn_ret;
	kept->full_name = given->full_name;
	if (*given->verp != '\0' && *given->sender != '\0' &&
	    verp_complaint(given->verp, config.verp_delimiter_filter) == NULL)
		kept->verp = given->verp;
	kept->login_sender = pool_printf(pool, "%ld", (long)uid);
	kept->token = own_token(pool, given->token, uid);
	for (size_t i = 0; i < given->recipient_count; i++) {
		struct recipient *recipient = envelope_add_recipient(kept,
		    given->recipients[i].address);

		if (recipient == NULL)
			return NULL;
		recipient->dsn_orcpt = given->recipients[i].dsn_orcpt;
		recipient->dsn_notify = given->recipients[i].dsn_notify;
	}
	claim_apply_options(kept);
	return kept->login_sender == NULL || kept->token == NULL ? NULL : kept;
}

void
claim_content(const char *bytes, size_t length, struct text *content)
{
	struct dot_reader reader = { 0 };

	if (memchr(bytes, '\r', length) == NULL) {
		text_append(content, bytes, length);
		return;
	}
	dot_read_start(&reader, true);
	dot_read(&reader, bytes, length, content);
	dot_read_finish(&reader, content);
}
