/*
 * aside - a worker's requests that wait for tables, or for what the worker says
 *
 * They are put aside whole, with what was asked for them, so that the worker
 * goes on; and come again as if they were new.
 */

#include "service/internal.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/base.h"
#include "table/far.h"

#define ASIDE_MAX	500	/* more hear at once that nobody knows */
#define AT_ONCE		20	/* questions for one request: others have some, too */

struct aside {
	TAILQ_ENTRY(aside)	 link;
	struct service_request	 request;
	uint64_t		 number;	/* it waits to be called by this; 0: for its tables */
	bool			 is_called;
};

static TAILQ_HEAD(, aside) all = TAILQ_HEAD_INITIALIZER(all);
static size_t count;

/* For the next request that asks: nearly none does. */
static struct table_asker *unused;

static void
ask(struct table_question *question, void *argument)
{
	if (count < ASIDE_MAX)
		far_ask(question, argument);
	else
		table_asker_note(question, TABLE_ERROR,
		    "too many messages wait for tables");
}

void
service_begin_tables(struct service_request *request)
{
	if (request->tables == NULL && unused == NULL) {
		unused = mem_zalloc(1, sizeof(*unused));
		unused->ask = ask;
		unused->at_once = AT_ONCE;
	}
	table_ask_with(request->tables != NULL ? request->tables : unused);
	log_mark();
}

static void
put(struct service_request *request, uint64_t number)
{
	struct aside *aside = mem_zalloc(1, sizeof(*aside));

	aside->request = *request;
	aside->number = number;
	*request = (struct service_request){ .packet = IPC_PACKET_EMPTY,
	    .connection = -1 };
	TAILQ_INSERT_TAIL(&all, aside, link);
	count++;
}

uint64_t
service_put_aside(struct service_request *request)
{
	static uint64_t last;

	put(request, ++last);
	return last;
}

bool
service_call_back(uint64_t number)
{
	struct aside *aside;

	TAILQ_FOREACH(aside, &all, link) {
		if (aside->number != number)
			continue;
		aside->is_called = true;
		return true;
	}
	return false;
}

bool
service_end_tables(struct service_request *request)
{
	table_ask_with(NULL);
	if (request->tables == NULL && unused->questions != NULL) {
		request->tables = unused;
		unused = NULL;
	}
	if (request->tables == NULL || request->tables->pending == 0)
		return true;
	log_forget();
	put(request, 0);
	return false;
}

static bool
may_come(const struct aside *aside)
{
	return aside->number != 0 ? aside->is_called :
	    aside->request.tables->pending == 0;
}

static void
drop(struct aside *aside)
{
	TAILQ_REMOVE(&all, aside, link);
	free(aside);
	count--;
}

size_t
service_take_answered(struct service_request *requests, size_t room)
{
	struct aside *aside, *next;
	size_t taken = 0;

	TAILQ_FOREACH_SAFE(aside, &all, link, next) {
		if (taken == room || !may_come(aside))
			continue;
		ipc_packet_clear(&requests[taken].packet);
		requests[taken++] = aside->request;
		drop(aside);
	}
	return taken;
}

void
service_forget_aside(int connection)
{
	struct aside *aside, *next;

	TAILQ_FOREACH_SAFE(aside, &all, link, next) {
		if (aside->request.connection != connection)
			continue;
		service_request_clear(&aside->request);
		drop(aside);
	}
}

void
service_request_clear(struct service_request *request)
{
	ipc_packet_clear(&request->packet);
	if (request->tables == NULL)
		return;
	far_forget(request->tables);
	table_asker_clear(request->tables);
	free(request->tables);
	request->tables = NULL;
}
