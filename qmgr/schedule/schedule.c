/*
 * schedule - which delivery goes next, and how it went
 *
 * A transport has destinations; recipients of one message that travel together
 * to one of them are an entry. Destinations with something to do, and room
 * for it, stand in a ring, and each turn of the ring takes one entry of one
 * destination, so that no destination waits for another's queue. Within a
 * destination entries of different messages take turns as they came.
 *
 * Messages with many recipients for a transport (jobs) have a ring of their
 * own beside it, in which each job's turn is one entry. Where both rings have
 * something to do, a message that came before the job goes first, and for one
 * that came later slots.h says which goes.
 *
 * What holds (the tests that guard a number name it):
 *   1  No more deliveries to a destination are under way than its window, and
 *      none before its pause is over.
 *   2  A destination without room keeps nobody waiting but its own mail.
 *   3  A message with one recipient waits for at most a few deliveries of one
 *      with many, whether these go to its destination or elsewhere; for none of
 *      one that came later.
 *   4  Whatever one destination holds, others find room in the active queue.
 *   5  A recipient is in one place: waiting in an entry, or in a peer's
 *      part of its job, or with an agent.
 */

#include "qmgr/schedule/schedule.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* A mailbox's worker may be full while others are not: so many destinations are tried. */
#define TRIES_MAX	8

static struct event *run_soon;

static void
on_run_soon(int fd, short what, void *argument)
{
	schedule_run();
}

/* All that this turn of the loop brings is handed out together. */
void
schedule_soon(void)
{
	if (run_soon == NULL)
		run_soon = event_new(service_base, -1, 0, on_run_soon, NULL);
	event_active(run_soon, EV_TIMEOUT, 0);
}

static enum agent_answer
hand_over(struct transport *transport, struct entry *entry)
{
	return agent_deliver(transport->agent, entry, transport->window.limit);
}

/* The agent has it. */
static void
begin(struct entry *entry)
{
	struct destination *destination = entry->destination;
	int64_t now = clock_us();

	pace_begin(&destination->pace, (int64_t)entry->count, now);
	pace_begin(&destination->transport->pace, (int64_t)entry->count, now);
	destination->underway++;
	destination->transport->underway++;
}

static void
give_up_unreadable(struct entry *entry)
{
	struct destination *destination = entry->destination;
	struct message *message = entry->message;

	pace_leave(&destination->pace, (int64_t)entry->count);
	pace_leave(&destination->transport->pace, (int64_t)entry->count);
	entry_defer(message, entry->recipients, entry->count, "4.3.0",
	    "message file cannot be read");
	entry_free(&entry);
	destination_update(destination);
	destination_forget_if_idle(&destination);
	message_check_finished(message);
}

/* The next entry of the destination. Its place in the ring is the last then. */
static enum agent_answer
run_destination(struct transport *transport, struct destination *destination)
{
	struct entry *entry = TAILQ_FIRST(&destination->waiting);
	enum agent_answer answer = hand_over(transport, entry);

	TAILQ_REMOVE(&transport->ring, destination, next);
	if (answer == AGENT_BUSY) {
		TAILQ_INSERT_TAIL(&transport->ring, destination, next);
		return answer;
	}
	destination->in_ring = false;
	TAILQ_REMOVE(&destination->waiting, entry, next);
	LIST_REMOVE(entry, of_message);
	if (answer == AGENT_TOOK) {
		begin(entry);
		destination_update(destination);
	} else {
		give_up_unreadable(entry);
	}
	return answer;
}

/* The next entry of the job. Its place in the ring is the last then. */
static enum agent_answer
run_job(struct transport *transport, struct job *job)
{
	struct peer *peer = TAILQ_FIRST(&job->ready);
	struct destination *destination = peer->destination;

	if (destination_room(destination) <= 0) {
		peer_park(peer);
		return AGENT_TOOK;
	}

	struct entry *entry = peer_cut(peer);
	enum agent_answer answer = hand_over(transport, entry);

	TAILQ_REMOVE(&transport->jobs, job, next);
	TAILQ_INSERT_TAIL(&transport->jobs, job, next);
	if (answer == AGENT_BUSY) {
		TAILQ_REMOVE(&job->ready, peer, next);
		TAILQ_INSERT_TAIL(&job->ready, peer, next);
		entry_free(&entry);
		return answer;
	}
	peer_advance(peer, entry->count);
	if (answer == AGENT_TOOK) {
		begin(entry);
		slots_earn(&transport->slots);
		destination_update(destination);
	} else {
		give_up_unreadable(entry);
	}
	return answer;
}

/* Mail that waited already when the large message came is not overtaken by it. */
static bool
came_before(const struct destination *destination, const struct job *job)
{
	return TAILQ_FIRST(&destination->waiting)->message->active_us <
	    job->message->active_us;
}

static enum agent_answer
run_transport(struct transport *transport)
{
	struct destination *destination = TAILQ_FIRST(&transport->ring);
	struct job *job = TAILQ_FIRST(&transport->jobs);

	if (destination != NULL && job != NULL &&
	    !came_before(destination, job)) {
		if (!slots_may_overtake(&transport->slots))
			return run_job(transport, job);
		slots_take(&transport->slots);
	}
	return destination != NULL ? run_destination(transport, destination) :
	    run_job(transport, job);
}

static bool
has_work(struct transport *transport)
{
	return (!TAILQ_EMPTY(&transport->ring) ||
	    !TAILQ_EMPTY(&transport->jobs)) && transport_room(transport) > 0;
}

void
schedule_run(void)
{
	struct transport *transport = NULL;

	while (!service_is_leaving() &&
	    (transport = transport_next(transport)) != NULL) {
		int tries = 0;

		while (tries < TRIES_MAX && has_work(transport))
			tries += run_transport(transport) == AGENT_BUSY;
	}
}

/* No longer under way. */
static void
end(struct entry *entry)
{
	struct destination *destination = entry->destination;
	struct transport *transport = destination->transport;
	int64_t now = clock_us();

	pace_end(&destination->pace, (int64_t)entry->count, now);
	pace_end(&transport->pace, (int64_t)entry->count, now);
	destination->underway--;
	transport->underway--;
	if (transport->rate_delay_us > 0)
		destination->pace.next_us = now + transport->rate_delay_us;
	if (transport->transport_delay_us > 0)
		transport->pace.next_us = now + transport->transport_delay_us;
}

void
schedule_reported(struct entry *entry, const struct delivery_report *report)
{
	struct destination *destination = entry->destination;
	struct message *message = entry->message;

	end(entry);
	if (report->results == NULL)
		entry_defer(message, entry->recipients, entry->count, "4.3.0",
		    report->reason);
	else
		for (size_t i = 0; i < report->count; i++)
			message_result(message, &report->results[i]);
	entry_free(&entry);
	message_check_finished(message);
	destination_learn(destination, report);
	destination_update(destination);
	destination_forget_if_idle(&destination);
}

/* postsuper spoke: what of it no agent has is not tried. */
static void
drop(struct entry **entry)
{
	struct destination *destination = (*entry)->destination;

	for (size_t i = 0; i < (*entry)->count; i++)
		message_drop_recipient((*entry)->message,
		    (*entry)->recipients[i]);
	entry_free(entry);
	destination_update(destination);
	destination_forget_if_idle(&destination);
}

void
schedule_again(struct entry *entry)
{
	struct message *message = entry->message;

	end(entry);
	if (message->operation != NULL) {
		drop(&entry);
		message_check_finished(message);
		return;
	}
	entry_queue(entry, true);
	destination_update(entry->destination);
}

void
schedule_drop(struct message *message)
{
	struct entry *entry;
	struct job *job;

	while ((entry = LIST_FIRST(&message->waiting)) != NULL) {
		entry_unqueue(entry);
		drop(&entry);
	}
	while ((job = LIST_FIRST(&message->jobs)) != NULL)
		job_drop(job);
	message_check_finished(message);
}
