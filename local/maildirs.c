/*
 * maildirs - all Maildirs of a batch in common steps
 *
 * Recipients whose mail comes down to one Maildir, nearly all, share the
 * flushes: write all, sync all, link all, each with its owner's rights.
 */

#include "local/local.h"

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

void
maildirs_deliver(struct job *jobs, size_t count, struct mailbox_delivery *deliveries)
{
	size_t quick = 0;

	for (size_t i = 0; i < count; i++)
		if (jobs[i].is_maildir) {
			become(jobs[i].user);
			deliveries[quick] = jobs[i].delivery;
			mailbox_maildir_write(&deliveries[quick++]);
		}
	mailbox_maildir_sync(deliveries, quick);
	quick = 0;
	for (size_t i = 0; i < count; i++)
		if (jobs[i].is_maildir) {
			become(jobs[i].user);
			mailbox_maildir_link(&deliveries[quick++]);
		}
	become(NULL);
	mailbox_maildir_finish(deliveries, quick);
	quick = 0;
	for (size_t i = 0; i < count; i++)
		if (jobs[i].is_maildir) {
			maildir_decide(&jobs[i].plan, &deliveries[quick++]);
			plan_decide(&jobs[i].plan, DELIVERY_SENT, "2.0.0",
			    "delivered to maildir");
			recipient_report(&jobs[i]);
		}
}
