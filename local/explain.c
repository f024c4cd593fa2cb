/* What an address of this machine means, for postroad explain: alias, user, .forward, mailbox. */

#include "local/local.h"

#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "delivery/submit.h"
#include "service/explain.h"

#define POOL	(16 << 20)

static void
tell_file(const char *path)
{
	printf("      %s is read\n", path);
}

static const char *
user_name(const struct user *user)
{
	return user == NULL ? config.default_privs : user->name;
}

static void
tell_target(struct plan *plan, const struct target *target)
{
	struct mailbox_place place;

	switch (target->kind) {
	case TARGET_MAILBOX:
		mailbox_place(&place, target->user, plan->pool);
		printf("  mailbox    %s%s%s, as user %s\n", place.root,
		    text_ends_with(place.root, "/") ? "" : "/",
		    place.path == NULL ? "" : place.path,
		    user_name(target->user));
		break;
	case TARGET_FILE:
		printf("  file       %s, as user %s\n", target->what,
		    user_name(target->user));
		break;
	case TARGET_COMMAND:
		printf("  command    %s, as user %s\n", target->what,
		    user_name(target->user));
		break;
	}
}

/* What goes on as a new message: cleanup tells of it. */
static void
tell_forward(const struct plan *plan, const char *address)
{
	struct envelope *envelope = envelope_new(plan->pool);
	struct text records = TEXT_EMPTY;

	envelope->sender = plan->owner != NULL ? plan->owner : "";
	for (size_t i = 0; i < plan->forward_count; i++) {
		printf("  forward    to <%s>, as a new message%s%s\n",
		    plan->forward[i], plan->owner == NULL ? "" : " from ",
		    plan->owner == NULL ? "" : plan->owner);
		envelope_add_recipient(envelope, plan->forward[i])->original =
		    address;
	}
	if (plan->forward_count == 0)
		return;
	envelope_encode(envelope, &records);
	explain_enter_child();
	explain_next("cleanup", (const char *const[]){
	    "the message that is forwarded", text_string(&records), NULL });
	text_clear(&records);
}

int
explain(int argc, char **argv)
{
	int at = explain_options(argc, argv);
	struct delivery_request request = { .content = "" };
	struct recipient recipient = { .original = "", .dsn_orcpt = "",
	    .expanded = "" };
	struct target *target;
	struct refusal *refusal;
	struct plan plan;

	if (argc - at != 2)
		explain_fail("usage: %s --explain service address", argv[0]);
	explain_begin(explain_service(argv[at]));
	recipient.address = argv[at + 1];
	request.pool = pool_new(POOL);
	expand_start();
	expand_witness = tell_file;
	explain_tables();
	plan_recipient(&plan, &request, &recipient);
	if (plan.is_decided)
		printf("  result     %s: %s %s\n",
		    delivery_status_name(plan.status), plan.dsn, plan.text);
	STAILQ_FOREACH(refusal, &plan.refusals, next)
		printf("  refused    a member: %s %s; the others get it\n",
		    refusal->dsn, refusal->text);
	if (plan.final != NULL)
		printf("  meant is   <%s>\n", plan.final);
	STAILQ_FOREACH(target, &plan.targets, next)
		tell_target(&plan, target);
	tell_forward(&plan, recipient.address);
	return 0;
}
