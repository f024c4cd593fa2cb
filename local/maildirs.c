/*
 * maildirs - all Maildirs of a batch in common steps
 *
 * Recipients whose mail comes down to one Maildir, nearly all, share the
 * flushes: write all, sync all, link all, each with its owner's rights.
 */

#include "local/local.h"

#include <stdlib.h>

#include "config/config.h"

void
maildirs_prepare(struct job *job)
{
	struct delivery_request *request = job->request;
	struct target *target = STAILQ_FIRST(&job->plan.targets);
	struct mailbox_place place;

	if (job->plan.is_decided || !STAILQ_EMPTY(&job->plan.refusals)
	    || job->plan.forward_count > 0 || target == NULL
	    || STAILQ_NEXT(target, next) != NULL || target->kind != TARGET_MAILBOX)
		return;
	mailbox_place(&place, target->user, request->pool);
	if (!place.is_maildir || place.path == NULL)
		return;
	job->is_maildir = true;
	job->user = target->user;
	delivery_headers(&job->headers, request, job->recipient);
	mailbox_unique_name(job->name, request->envelope->unique, (unsigned int)job->recipient->number,
	    config.myhostname);
	job->pieces[0] = (struct iovec) { job->headers.bytes, job->headers.length };
	job->pieces[1] = (struct iovec) { (char *)(uintptr_t)request->content,
	    request->content_length };
	job->delivery = (struct mailbox_delivery) {
		.root = place.root, .path = place.path, .name = job->name,
		.content = { job->pieces, 2, -1, 0, 0 },
		.perhaps_delivered = request->perhaps_delivered,
	};
}

static int
by_user(const void *a, const void *b)
{
	const struct job *x = *(struct job *const *)a, *y = *(struct job *const *)b;

	if (x->user->uid != y->user->uid)
		return x->user->uid < y->user->uid ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Those that come down to a Maildir, one user's together: rights change once a user. */
static size_t
choose(struct job *jobs, size_t count, struct job **chosen)
{
	size_t chosen_count = 0;

	for (size_t i = 0; i < count; i++)
		if (jobs[i].is_maildir)
			chosen[chosen_count++] = &jobs[i];
	qsort(chosen, chosen_count, sizeof(*chosen), by_user);
	return chosen_count;
}

static void
deliver(struct job **jobs, size_t count, struct mailbox_delivery *deliveries)
{
	for (size_t i = 0; i < count; i++) {
		become(jobs[i]->user);
		deliveries[i] = jobs[i]->delivery;
		mailbox_maildir_write(&deliveries[i]);
	}
	mailbox_maildir_sync(deliveries, count);
	for (size_t i = 0; i < count; i++) {
		become(jobs[i]->user);
		mailbox_maildir_link(&deliveries[i]);
	}
	become(NULL);
	mailbox_maildir_finish(deliveries, count);
}

void
maildirs_deliver(struct job *jobs, size_t job_count)
{
	struct job **chosen = mem_zalloc(job_count, sizeof(struct job *));
	size_t count = choose(jobs, job_count, chosen);
	struct mailbox_delivery *deliveries = mem_zalloc(count, sizeof(*deliveries));

	deliver(chosen, count, deliveries);
	for (size_t i = 0; i < count; i++) {
		maildir_decide(&chosen[i]->plan, &deliveries[i]);
		plan_decide(&chosen[i]->plan, DELIVERY_SENT, "2.0.0",
		    "delivered to maildir");
		recipient_report(chosen[i]);
	}
	free(deliveries);
	free(chosen);
}
