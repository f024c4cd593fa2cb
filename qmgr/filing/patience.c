/*
 * patience - what is to wait goes to its files little by little
 *
 * A message that is deferred is safe in the journal, and nobody waits for its
 * file. To make one costs the disk and the processors as much as a delivery: a
 * host that puts off thousands of messages would slow down all other mail. So
 * while new mail flows, and memory has room, few files are made at a time;
 * else as many as the filer can take. All those of a second together: so they
 * share their flushes, and are in the way of one message in a hundred at most.
 */

#include "qmgr/qmgr.h"

#define STEP_MS		1000
#define FEW		20

/* Percent of memory from which on there is no time to lose: new mail has three quarters of it at most. */
#define ENOUGH		60

/* And in a hurry: the filer has so many questions at most, so that what is asked next does not wait long. */
#define HURRY_MS	20
#define MOST		500

/* Mail flows if some came within this time. */
#define FLOW_MS		1000

static TAILQ_HEAD(, message) patient = TAILQ_HEAD_INITIALIZER(patient);
static struct event *timer;
static int64_t mail_came_ms, stepped_ms;
static int pause_ms;			/* from this step to the next */
static size_t left;			/* of this step */

void
patience_mail_came(void)
{
	mail_came_ms = clock_ms();
}

bool
patience_is_needed(void)
{
	return !TAILQ_EMPTY(&patient);
}

static void
begin_step(void)
{
	size_t underway = filing_underway();

	stepped_ms = clock_ms();
	if (service_is_leaving() || room_percent_used() >= ENOUGH ||
	    stepped_ms - mail_came_ms > FLOW_MS) {
		left = underway < MOST ? MOST - underway : 0;
		pause_ms = HURRY_MS;
	} else {
		left = FEW;
		pause_ms = STEP_MS;
	}
}

static void
wait_for_step(void)
{
	event_add(timer, &(struct timeval){ 0, pause_ms * 1000 });
}

static void
on_step(int fd, short what, void *argument)
{
	begin_step();
	while (left > 0 && !TAILQ_EMPTY(&patient)) {
		left--;
		place_go(TAILQ_FIRST(&patient));
	}
	if (!TAILQ_EMPTY(&patient))
		wait_for_step();
}

bool
patience_begin(struct message *message)
{
	if (clock_ms() - stepped_ms >= pause_ms)
		begin_step();
	if (TAILQ_EMPTY(&patient) && left > 0) {
		left--;
		return false;
	}
	if (timer == NULL)
		timer = event_new(service_base, -1, 0, on_step, NULL);
	if (TAILQ_EMPTY(&patient))
		wait_for_step();
	TAILQ_INSERT_TAIL(&patient, message, patient);
	message->is_patient = true;
	return true;
}

void
patience_end(struct message *message)
{
	if (message->is_patient)
		TAILQ_REMOVE(&patient, message, patient);
	message->is_patient = false;
}
