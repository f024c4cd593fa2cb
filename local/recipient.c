/*
 * recipient - one recipient's plan, carried out and reported
 */

#include "local/local.h"

void
recipient_report(struct job *job)
{
	const struct plan *plan = &job->plan;
	struct recipient *recipient = job->recipient;

	job->is_done = true;
	/* The log names the user, and the alias as the original recipient. */
	if (plan->final != NULL) {
		if (recipient->original[0] == '\0')
			recipient->original = recipient->address;
		recipient->address = plan->final;
	}
	job->request->action = plan->action;
	delivery_report_remote(job->request, recipient, plan->status, plan->dsn,
	    "local", "", plan->diagnostic != NULL ? plan->diagnostic : "",
	    plan->text);
}

void
recipient_say_deliverable(struct plan *plan)
{
	const struct target *target = STAILQ_FIRST(&plan->targets);
	struct mailbox_place place;

	if (plan->target_count + plan->forward_count > 1) {
		plan_decide(plan, DELIVERY_SENT, "2.0.0", "delivers to %zu "
		    "destinations", plan->target_count + plan->forward_count);
	} else if (plan->forward_count == 1) {
		plan_decide(plan, DELIVERY_SENT, "2.0.0", "forwards to %s",
		    plan->forward[0]);
	} else if (target != NULL && target->kind != TARGET_MAILBOX) {
		plan_decide(plan, DELIVERY_SENT, "2.0.0", "delivers to %s: %s",
		    target->kind == TARGET_FILE ? "file" : "command",
		    target->what);
	} else if (target != NULL) {
		mailbox_place(&place, target->user, plan->pool);
		plan_decide(plan, DELIVERY_SENT, "2.0.0", "delivers to %s",
		    place.is_maildir ? "maildir" : "mailbox");
	}
}

static void
say_delivered(struct plan *plan, const struct target *target)
{
	struct mailbox_place place;

	if (target == NULL)
		plan_decide(plan, DELIVERY_BOUNCED, "5.1.1", "no recipients behind %s",
		    plan->address);
	else if (target->kind == TARGET_FILE)
		plan_decide(plan, DELIVERY_SENT, "2.0.0", "delivered to file: %s",
		    target->what);
	else {
		mailbox_place(&place, target->user, plan->pool);
		plan_decide(plan, DELIVERY_SENT, "2.0.0", "delivered to %s",
		    place.is_maildir ? "maildir" : "mailbox");
	}
}

/* A command among other members: what became of it is a line of the log, and no verdict. */
static void
note_member(struct job *job)
{
	struct plan *plan = &job->plan;

	if (plan->status == DELIVERY_BOUNCED) {
		plan_go_on(plan);
	} else if (plan->status == DELIVERY_SENT) {
		delivery_log_member(job->request, job->recipient, plan->status,
		    plan->dsn, "local", plan->text);
		plan->is_decided = false;
	}
}

/* Members that get nothing: the first is the result, unless there is a worse one; the others have their lines. */
static void
settle_refusals(struct job *job)
{
	struct plan *plan = &job->plan;
	struct refusal *refusal = STAILQ_FIRST(&plan->refusals);

	if (refusal == NULL)
		return;
	if (!plan->is_decided || plan->status == DELIVERY_SENT) {
		plan->is_decided = false;
		plan_decide(plan, DELIVERY_BOUNCED, refusal->dsn, "%s",
		    refusal->text);
		plan->diagnostic = refusal->diagnostic;
		refusal = STAILQ_NEXT(refusal, next);
	}
	for (; refusal != NULL; refusal = STAILQ_NEXT(refusal, next))
		delivery_log_member(job->request, job->recipient,
		    DELIVERY_BOUNCED, refusal->dsn, "local", refusal->text);
}

/* What can be done twice comes last, so that a failure before it leaves little to repeat. */
bool
recipient_deliver(struct job *job, bool may_wait)
{
	struct plan *plan = &job->plan;
	struct target *target, *last = NULL;

	STAILQ_FOREACH(target, &plan->targets, next) {
		if (target->kind == TARGET_COMMAND && !may_wait)
			return false;
		last = target;
	}
	if (plan->forward_count > 0 && !may_wait)
		return false;
	STAILQ_FOREACH(target, &plan->targets, next)
		if (!plan->is_decided && target->kind != TARGET_COMMAND
		    && !deliver_target(plan, job->request, job->recipient, target,
		    may_wait))
			return false;
	STAILQ_FOREACH(target, &plan->targets, next) {
		bool is_only = plan->target_count + plan->forward_count == 1;

		if (target->kind != TARGET_COMMAND || plan->is_decided)
			continue;
		deliver_command(plan, job->request, job->recipient, target);
		if (!is_only && (STAILQ_NEXT(target, next) != NULL
		    || plan->forward_count > 0))
			note_member(job);
	}
	if (!plan->is_decided && plan->forward_count > 0)
		deliver_forward(plan, job->request, job->recipient);
	settle_refusals(job);
	if (!plan->is_decided)
		say_delivered(plan, last);
	recipient_report(job);
	return true;
}
