/*
 * deliver - a batch of requests: Maildirs together, the rest one by one
 *
 * First every recipient is planned. Those that come down to one Maildir, nearly
 * all, are written, flushed, linked and flushed together, each with its
 * owner's rights. Then the others; what would have to wait goes to a child.
 */

#include "local/local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "delivery/later.h"
#include "table/asker.h"

void
deliver_answer(int connection, uint64_t number, struct ipc_packet *reply)
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

void
deliver_answer_nothing(int connection, uint64_t number)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;

	ipc_encode_delivered(&reply, 0, &(struct ipc_delivered) { .results = { "", 0 } });
	deliver_answer(connection, number, &reply);
}

/* Before it is put aside it is as it came. */
static void
give_back(struct service_request *request, struct delivery_request *decoded)
{
	request->packet = decoded->packet;
	decoded->packet = (struct ipc_packet)IPC_PACKET_EMPTY;
}

/* The request's recipients that are not done yet, in a process that answers qmgr. False: there is none. */
static bool
deliver_in_child(struct job *jobs, size_t count, int connection, uint64_t number)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	int parent = children_begin(connection, number);

	if (parent != 0)
		return parent == 1;
	for (size_t i = 0; i < count; i++)
		if (!jobs[i].is_done)
			recipient_deliver(&jobs[i], true);
	jobs[0].request->alone = true;
	delivery_encode_reply(jobs[0].request, &reply);
	deliver_answer(connection, number, &reply);
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
	    !STAILQ_EMPTY(&plan->refusals) || plan->target_count > 0 || plan->forward_count == 0 ||
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
			recipient_report(&jobs[i]);
		else if (!recipient_deliver(&jobs[i], false))
			must_wait = true;
	}
	if (must_wait && deliver_in_child(jobs, count, connection, number))
		return;
	delivery_encode_reply(jobs[0].request, &reply);
	deliver_answer(connection, number, &reply);
}

static void
clear_jobs(struct job *jobs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		plan_clear(&jobs[i].plan);
		text_clear(&jobs[i].headers);
	}
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
			recipient_say_deliverable(&jobs[r].plan);
		maildirs_prepare(&jobs[r]);
	}
	return true;
}

void
deliver_batch(struct service_request *requests, size_t count)
{
	struct delivery_request **decoded = mem_zalloc(count, sizeof(*decoded));
	uint64_t *numbers = mem_zalloc(count, sizeof(*numbers));
	size_t job_count = 0, next = 0;

	children_reap();
	users_expire();
	for (size_t i = 0; i < count; i++) {
		numbers[i] = ipc_packet_request(&requests[i].packet);
		decoded[i] = delivery_request_decode(&requests[i].packet);
		if (decoded[i] != NULL)
			job_count += decoded[i]->envelope->recipient_count;
	}

	struct job *jobs = mem_zalloc(job_count, sizeof(*jobs));

	job_count = 0;
	for (size_t i = 0; i < count; i++)
		if (!plan_request(jobs + job_count, decoded[i], &requests[i]))
			delivery_request_free(&decoded[i]);
		else if (decoded[i] != NULL)
			job_count += decoded[i]->envelope->recipient_count;
	maildirs_deliver(jobs, job_count);

	for (size_t i = 0; i < count; i++) {
		size_t recipients = decoded[i] == NULL ? 0
		    : decoded[i]->envelope->recipient_count;

		if (recipients > 0)
			finish_request(jobs + next, recipients, &requests[i],
			    numbers[i]);
		else
			deliver_answer_nothing(requests[i].connection, numbers[i]);
		next += recipients;
	}
	clear_jobs(jobs, job_count);
	for (size_t i = 0; i < count; i++)
		delivery_request_free(&decoded[i]);
	free(jobs);
	free(numbers);
	free(decoded);
}
