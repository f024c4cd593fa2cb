/*
 * deliver - a batch of requests: Maildirs together, the rest one by one
 *
 * First every recipient is planned. Those that come down to one Maildir, nearly
 * all, are written, flushed, linked and flushed together, each with its
 * owner's rights. Then the others; what would have to wait goes to a child.
 */

#include "local/local.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"
#include "delivery/later.h"
#include "delivery/submit.h"
#include "table/asker.h"

#define CHILDREN_MAX	20
#define LEAVE_MS	4000	/* for children, when this process leaves */

/* One recipient of one request. */
struct job {
	struct plan plan;
	struct delivery_request *request;
	struct recipient *recipient;
	bool	 is_done;

	/* if it comes down to one Maildir */
	bool	 is_quick;
	const struct user *user;
	struct mailbox_delivery delivery;
	struct iovec pieces[2];
	struct text headers;
	char	 name[MAILBOX_NAME_SIZE];
};

/* What is being done in children: whose answer is owed if one is killed. */
static struct child {
	pid_t	 pid;		/* 0: a free place */
	uint64_t number;
	int	 connection;
} children[CHILDREN_MAX];

static void
answer(int connection, uint64_t number, struct ipc_packet *reply)
{
	ipc_packet_set_request(reply, number);
	if (connection != -1 && ipc_send(connection, reply) == -1) {
		if (errno != EPIPE && errno != ECONNRESET)
			log_warning("cannot send a result: %m; qmgr asks again");
		/* It must not wait for what does not come. */
		shutdown(connection, SHUT_RDWR);
	}
	ipc_packet_clear(reply);
}

/* A child that ended well has answered; for one that was killed all is deferred. */
static void
forget_child(pid_t pid, int status)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;

	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *child = &children[i];

		if (child->pid != pid)
			continue;
		child->pid = 0;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return;
		log_warning("a delivery process was killed by signal %d; "
		    "its mail waits", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		ipc_encode_delivered(&reply, 0, &(struct ipc_delivered) {
		    .results = { "", 0 } });
		answer(child->connection, child->number, &reply);
	}
}

static void
reap_children(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		forget_child(pid, status);
}

bool
deliver_reap(void)
{
	reap_children();
	return false;
}

static void
on_child(int number)
{
}

void
deliver_watch_children(void)
{
	struct sigaction action = { .sa_handler = on_child };
	sigset_t child;

	sigaction(SIGCHLD, &action, NULL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
}

void
deliver_wait(void)
{
	int64_t deadline_ms = clock_ms() + LEAVE_MS;
	bool is_busy = true;

	while (is_busy && clock_ms() < deadline_ms) {
		reap_children();
		is_busy = false;
		for (size_t i = 0; i < CHILDREN_MAX; i++)
			is_busy |= children[i].pid != 0;
		if (is_busy)
			usleep(20000);
	}
}

/* A free place; waits for a child to end if there is none. */
static struct child *
find_place(void)
{
	int status;
	pid_t pid;

	for (;;) {
		for (size_t i = 0; i < CHILDREN_MAX; i++)
			if (children[i].pid == 0)
				return &children[i];
		if ((pid = waitpid(-1, &status, 0)) > 0)
			forget_child(pid, status);
		else if (pid == -1 && errno != EINTR)
			memset(children, 0, sizeof(children));
	}
}

static void
report(struct job *job)
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
	delivery_report(job->request, recipient, plan->status, plan->dsn,
	    "local", "%s", plan->text);
}

/* Before it is put aside it is as it came. */
static void
give_back(struct service_request *request, struct delivery_request *decoded)
{
	request->packet = decoded->packet;
	decoded->packet = (struct ipc_packet)IPC_PACKET_EMPTY;
}

/* Does it come down to one Maildir? Then prepare that delivery. */
static void
prepare_quick(struct job *job)
{
	struct delivery_request *request = job->request;
	struct target *target = STAILQ_FIRST(&job->plan.targets);
	struct mailbox_place place;

	if (job->plan.is_decided || job->plan.refusal != NULL
	    || job->plan.forward_count > 0 || target == NULL
	    || STAILQ_NEXT(target, next) != NULL || target->kind != TARGET_MAILBOX)
		return;
	mailbox_place(&place, target->user, request->pool);
	if (!place.is_maildir || place.path == NULL)
		return;
	job->is_quick = true;
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

/* Nothing is to be delivered, only said what would be. */
static void
say_deliverable(struct plan *plan)
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

/* All Maildirs of the batch in common steps. deliveries is room for them. */
static void
deliver_quick(struct job *jobs, size_t count, struct mailbox_delivery *deliveries)
{
	size_t quick = 0;

	for (size_t i = 0; i < count; i++)
		if (jobs[i].is_quick) {
			become(jobs[i].user);
			deliveries[quick] = jobs[i].delivery;
			mailbox_maildir_write(&deliveries[quick++]);
		}
	mailbox_maildir_sync(deliveries, quick);
	quick = 0;
	for (size_t i = 0; i < count; i++)
		if (jobs[i].is_quick) {
			become(jobs[i].user);
			mailbox_maildir_link(&deliveries[quick++]);
		}
	become(NULL);
	mailbox_maildir_finish(deliveries, quick);
	quick = 0;
	for (size_t i = 0; i < count; i++)
		if (jobs[i].is_quick) {
			maildir_decide(&jobs[i].plan, &deliveries[quick++]);
			plan_decide(&jobs[i].plan, DELIVERY_SENT, "2.0.0",
			    "delivered to maildir");
			report(&jobs[i]);
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

/*
 * Everything that is planned for one recipient. What can be done twice comes last,
 * so that a failure before it leaves little to repeat. False: it would
 * have to wait, and may not.
 */
static bool
deliver_slow(struct job *job, bool may_wait)
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
		/* One that worked is no verdict while there is more to do. */
		if (plan->status == DELIVERY_SENT && !is_only
		    && (STAILQ_NEXT(target, next) != NULL || plan->forward_count > 0))
			plan->is_decided = false;
	}
	if (!plan->is_decided && plan->forward_count > 0)
		deliver_forward(plan, job->request, job->recipient);
	if (plan->refusal != NULL && !(plan->is_decided
	    && plan->status != DELIVERY_SENT)) {
		plan->is_decided = false;
		plan_decide(plan, DELIVERY_BOUNCED, plan->refusal_dsn, "%s",
		    plan->refusal);
	}
	if (!plan->is_decided)
		say_delivered(plan, last);
	report(job);
	return true;
}

/* The request's recipients that are not done yet, in a process that answers qmgr. False: there is none. */
static bool
deliver_in_child(struct job *jobs, size_t count, int connection, uint64_t number)
{
	struct child *child = find_place();
	struct ipc_packet reply = IPC_PACKET_EMPTY;

	log_flush();

	pid_t parent = getpid(), pid = fork();

	if (pid > 0)
		*child = (struct child) { pid, number, connection };
	if (pid == -1)
		log_warning("cannot fork a delivery process: %m; its mail waits");
	if (pid != 0)
		return pid > 0;
	/*
	 * It has the connection to qmgr open, who learns from its end that the
	 * parent is gone: so it must not outlive the parent.
	 */
	command_obey_sigterm();
	die_with_parent();
	if (getppid() != parent)
		_exit(1);
	delivery_submit_forget();
	later_leave();
	for (size_t i = 0; i < count; i++)
		if (!jobs[i].is_done)
			deliver_slow(&jobs[i], true);
	jobs[0].request->alone = true;
	delivery_encode_reply(jobs[0].request, &reply);
	answer(connection, number, &reply);
	log_flush();
	_exit(0);
}

/*
 * A message that cleanup has not answered for yet: the request goes back as it
 * came, and comes again as a whole. So this is for one recipient, for whom
 * nothing else is to be done or said.
 */
static bool
wait_for_cleanup(struct job *job, size_t count, struct service_request *request)
{
	struct plan *plan = &job->plan;
	struct later *later;

	if (count != 1 || job->is_done || plan->is_decided ||
	    plan->refusal != NULL || plan->target_count > 0 || plan->forward_count == 0 ||
	    forward_later(plan, job->request, job->recipient, &later))
		return false;
	give_back(request, job->request);
	later_await(later, service_put_aside(request));
	return true;
}

/* Deliver what is left of one request, and see to it that qmgr gets its answer. */
static void
finish_request(struct job *jobs, size_t count,
    struct service_request *request, uint64_t number)
{
	int connection = request->connection;
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	bool must_wait = false;

	if (wait_for_cleanup(jobs, count, request))
		return;
	for (size_t i = 0; i < count; i++) {
		if (jobs[i].is_done)
			continue;
		if (jobs[i].plan.is_decided)
			report(&jobs[i]);
		else if (!deliver_slow(&jobs[i], false))
			must_wait = true;
	}
	if (must_wait && deliver_in_child(jobs, count, connection, number))
		return;
	delivery_encode_reply(jobs[0].request, &reply);
	answer(connection, number, &reply);
}

static void
clear_jobs(struct job *jobs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		plan_clear(&jobs[i].plan);
		text_clear(&jobs[i].headers);
	}
}

/* The answer to what is not a delivery request, so that qmgr does not wait for it. */
static void
answer_nothing(int connection, uint64_t number)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;

	ipc_encode_delivered(&reply, 0, &(struct ipc_delivered) { .results = { "", 0 } });
	answer(connection, number, &reply);
}

/*
 * What is to be done for each recipient. False: a table's server must answer
 * first, and the request comes again; jobs are as they were.
 */
static bool
plan_request(struct job *jobs, struct delivery_request *decoded,
    struct service_request *request)
{
	size_t count = decoded == NULL ? 0 : decoded->envelope->recipient_count;

	service_begin_tables(request);
	for (size_t r = 0; r < count; r++) {
		struct plan *plan = &jobs[r].plan;

		jobs[r].request = decoded;
		jobs[r].recipient = &decoded->envelope->recipients[r];
		plan_recipient(plan, decoded, jobs[r].recipient);
	}
	if (table_is_asking())
		give_back(request, decoded);
	if (!service_end_tables(request)) {
		clear_jobs(jobs, count);
		memset(jobs, 0, count * sizeof(*jobs));
		return false;
	}
	for (size_t r = 0; r < count; r++) {
		if (decoded->envelope->flags & ENVELOPE_VERIFY)
			say_deliverable(&jobs[r].plan);
		prepare_quick(&jobs[r]);
	}
	return true;
}

void
deliver_batch(struct service_request *requests, size_t count)
{
	struct delivery_request **decoded = mem_zalloc(count, sizeof(*decoded));
	uint64_t *numbers = mem_zalloc(count, sizeof(*numbers));
	size_t job_count = 0, next = 0;

	reap_children();
	users_expire();
	for (size_t i = 0; i < count; i++) {
		numbers[i] = ipc_packet_request(&requests[i].packet);
		decoded[i] = delivery_request_decode(&requests[i].packet);
		if (decoded[i] != NULL)
			job_count += decoded[i]->envelope->recipient_count;
	}

	struct job *jobs = mem_zalloc(job_count, sizeof(*jobs));
	struct mailbox_delivery *deliveries = mem_zalloc(job_count, sizeof(*deliveries));

	job_count = 0;
	for (size_t i = 0; i < count; i++)
		if (!plan_request(jobs + job_count, decoded[i], &requests[i]))
			delivery_request_free(&decoded[i]);
		else if (decoded[i] != NULL)
			job_count += decoded[i]->envelope->recipient_count;
	deliver_quick(jobs, job_count, deliveries);

	for (size_t i = 0; i < count; i++) {
		size_t recipients = decoded[i] == NULL ? 0
		    : decoded[i]->envelope->recipient_count;

		if (recipients > 0)
			finish_request(jobs + next, recipients, &requests[i],
			    numbers[i]);
		else
			answer_nothing(requests[i].connection, numbers[i]);
		next += recipients;
	}
	clear_jobs(jobs, job_count);
	for (size_t i = 0; i < count; i++)
		delivery_request_free(&decoded[i]);
	free(deliveries);
	free(jobs);
	free(numbers);
	free(decoded);
}
