/*
 * plan - from a recipient to what is to be done: alias, user, mailbox
 *
 * An alias decides first, then the user database, then luser_relay. An alias
 * that means just one user of this machine leads to him without a new
 * message; the log names both.
 */

#include "local/local.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "address/address.h"
#include "config/config.h"
#include "config/expand.h"
#include "message/header.h"

#define MEMBERS_MAX	1000

void
plan_decide(struct plan *plan, enum delivery_status status, const char *dsn,
    const char *format, ...)
{
	struct text text = TEXT_EMPTY;
	va_list arguments;

	if (plan->is_decided)
		return;
	va_start(arguments, format);
	text_vprintf(&text, format, arguments);
	va_end(arguments);
	plan->is_decided = true;
	plan->status = status;
	plan->dsn = dsn;
	plan->text = pool_strdup(plan->pool, text_string(&text));
	if (plan->text == NULL)
		plan->text = "out of memory";
	text_clear(&text);
}

void
plan_refuse(struct plan *plan, const char *dsn, const char *text)
{
	struct refusal *refusal = pool_alloc(plan->pool, sizeof(*refusal));

	if (refusal == NULL) {
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0", "out of memory");
		return;
	}
	*refusal = (struct refusal){ .dsn = dsn, .text = text };
	STAILQ_INSERT_TAIL(&plan->refusals, refusal, next);
}

void
plan_go_on(struct plan *plan)
{
	struct refusal *refusal;

	plan->is_decided = false;
	plan_refuse(plan, plan->dsn, plan->text);
	refusal = STAILQ_LAST(&plan->refusals, refusal, next);
	if (refusal != NULL)
		refusal->diagnostic = plan->diagnostic;
	plan->diagnostic = NULL;
}

bool
plan_is_new(struct plan *plan, const char *key)
{
	return map_set(plan->seen, key, plan) == NULL;
}

void
plan_add_target(struct plan *plan, enum target_kind kind, const struct user *user,
    const char *what)
{
	struct target *target = pool_alloc(plan->pool, sizeof(*target));

	if (target == NULL || ++plan->target_count > MEMBERS_MAX) {
		plan_decide(plan, DELIVERY_BOUNCED, "5.4.6",
		    "alias expansion has too many members");
		return;
	}
	target->kind = kind;
	target->user = user;
	target->what = pool_strdup(plan->pool, what);
	STAILQ_INSERT_TAIL(&plan->targets, target, next);
}

void
plan_add_forward(struct plan *plan, const char *address)
{
	char folded[ADDRESS_SIZE];

	strlcpy(folded, address, sizeof(folded));
	if (!plan_is_new(plan, text_lower(folded)))
		return;
	if (plan->forward_count == MEMBERS_MAX) {
		plan_decide(plan, DELIVERY_BOUNCED, "5.4.6",
		    "alias expansion has too many members");
		return;
	}
	if (plan->forward == NULL)
		plan->forward = pool_alloc(plan->pool, MEMBERS_MAX * sizeof(*plan->forward));
	if (plan->forward != NULL)
		plan->forward[plan->forward_count++] = pool_strdup(plan->pool, address);
}

struct luser_names {
	const struct plan *plan;
	const char *local;
};

static const char *
luser_value(const char *name, void *context)
{
	const struct luser_names *names = context;
	const struct { const char *name, *value; } values[] = {
		{ "user",	names->plan->name },
		{ "local",	names->local },
		{ "extension",	names->plan->extension },
		{ "domain",	names->plan->domain },
		{ "recipient",	names->plan->address },
		{ "recipient_delimiter", config.recipient_delimiter },
	};

	for (size_t i = 0; i < COUNT_OF(values); i++)
		if (strcmp(values[i].name, name) == 0)
			return values[i].value;
	return NULL;
}

static void
plan_unknown_user(struct plan *plan, const char *local)
{
	struct luser_names names = { plan, local };
	struct expansion expansion = { .value = luser_value, .context = &names };
	struct text relay = TEXT_EMPTY, why = TEXT_EMPTY;

	if (config.luser_relay[0] == '\0')
		plan_decide(plan, DELIVERY_BOUNCED, "5.1.1", "unknown user: \"%s\"",
		    plan->name);
	else if (expand(&expansion, config.luser_relay, &relay, &why) == -1) {
		log_warning("luser_relay: %s", text_string(&why));
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.5",
		    "mail system configuration error");
	} else
		expand_text(plan, text_string(&relay), "luser_relay");
	text_clear(&relay);
	text_clear(&why);
}

static void
plan_user(struct plan *plan, const struct user *user)
{
	if (expand_forward(plan, user))
		return;
	if (config.require_home_directory && access(user->home, F_OK) == -1)
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0",
		    "cannot access home directory %s: %s", user->home, strerror(errno));
	else if (config.mailbox_command[0] != '\0')
		plan_add_target(plan, TARGET_COMMAND, user, config.mailbox_command);
	else
		plan_add_target(plan, TARGET_MAILBOX, user, "");
}

/* Was the message here before? RFC 822's Delivered-To, which every hop of ours adds. */
static bool
is_loop(const struct delivery_request *request, const char *address)
{
	struct header_walk walk = { .text = request->content,
	    .length = request->content_length };
	struct header_field field;
	struct text quoted = TEXT_EMPTY;
	bool found = false;

	address_quote(&quoted, address);
	while (!found && header_next(&walk, &field))
		if (header_is(&field, "Delivered-To")) {
			struct text value = TEXT_EMPTY;

			header_unfold(&value, &field);
			text_puts(&value, "");
			found = strcasecmp(text_trim(value.bytes),
			    text_string(&quoted)) == 0;
			text_clear(&value);
		}
	text_clear(&quoted);
	return found;
}

/* The sender of what an alias forwards is owner-alias, if that is an alias too. */
static void
set_owner(struct plan *plan)
{
	const char *owner = pool_printf(plan->pool, "owner-%s", plan->name);

	if (owner != NULL && strncmp(plan->name, "owner-", 6) != 0
	    && expand_is_alias(plan, owner))
		plan->owner = pool_printf(plan->pool, "%s@%s", owner, plan->domain);
}

/* Split the address into name, extension and domain; gives the whole local part, folded. */
static char *
split_address(struct plan *plan)
{
	size_t length = address_localpart_length(plan->address);
	char *local = pool_strndup(plan->pool, plan->address, length);
	const char *domain = address_domain(plan->address);

	if (local == NULL)
		return NULL;
	text_lower(local);

	size_t base = address_base_length(local, length, config.recipient_delimiter);

	plan->name = pool_strndup(plan->pool, local, base);
	plan->extension = base < length ? local + base + 1 : "";
	plan->domain = domain != NULL ? domain : config.myorigin;
	return plan->name == NULL ? NULL : local;
}

/* All that the alias means is one user of this machine: no new message is needed. */
static void
follow_to_user(struct plan *plan)
{
	const char *address = plan->forward[0], *domain = address_domain(address);
	char name[ADDRESS_SIZE];
	const struct user *user;

	snprintf(name, sizeof(name), "%.*s", (int)address_localpart_length(address),
	    address);
	text_lower(name);
	if (!expand_is_local_domain(plan, domain) || strchr(name, '/') != NULL
	    || (user = user_find(name)) == NULL)
		return;
	plan->forward_count = 0;
	plan->final = address;
	plan->name = pool_strdup(plan->pool, name);
	plan->extension = "";
	if (plan->name == NULL)
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0", "out of memory");
	else
		plan_user(plan, user);
}

void
plan_recipient(struct plan *plan, struct delivery_request *request,
    const struct recipient *recipient)
{
	const struct user *user;
	const char *local;

	memset(plan, 0, sizeof(*plan));
	STAILQ_INIT(&plan->targets);
	STAILQ_INIT(&plan->refusals);
	plan->pool = request->pool;
	plan->address = recipient->address;
	plan->seen = map_new();
	local = split_address(plan);
	if (local == NULL) {
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0", "out of memory");
		return;
	}
	if (is_loop(request, recipient->address)) {
		plan_decide(plan, DELIVERY_BOUNCED, "5.4.6",
		    "mail forwarding loop for %s", recipient->address);
		return;
	}
	map_set(plan->seen, local, plan);
	if (expand_alias(plan, local)) {
		set_owner(plan);
		if (!STAILQ_EMPTY(&plan->refusals))
			return;
		if (plan->target_count + plan->forward_count == 0)
			plan_decide(plan, DELIVERY_BOUNCED, "5.4.6",
			    "alias database loop for %s", plan->name);
		else if (plan->target_count == 0 && plan->forward_count == 1)
			follow_to_user(plan);
		return;
	}
	errno = 0;
	user = strchr(plan->name, '/') != NULL ? NULL : user_find(plan->name);
	if (user != NULL)
		plan_user(plan, user);
	else if (errno != 0)
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0",
		    "user lookup error: %s", strerror(errno));
	else
		plan_unknown_user(plan, local);
}

void
plan_clear(struct plan *plan)
{
	map_free(&plan->seen, NULL);
}
