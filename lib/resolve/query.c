/* query - a question's life, whatever it asks: c-ares answers now, later, twice, or after nobody waits any more */

#include <stdlib.h>

#include <event2/event.h>

#include "base/base.h"
#include "resolve/internal.h"

static void
query_free(struct resolve_query *query)
{
	for (size_t i = 0; query->mx != NULL && i < query->count; i++)
		free((void *)(uintptr_t)query->mx[i].host);
	for (size_t i = 0; query->names != NULL && i < query->count; i++)
		free(query->names[i]);
	if (query->soon != NULL)
		event_free(query->soon);
	free(query->names);
	free(query->addresses);
	free(query->mx);
	free(query->name);
	free(query);
}

static void
answer(struct resolve_query *query)
{
	struct resolve_answer answer = {
		.result = query->count > 0 ? RESOLVE_FOUND : query->result,
		.count = query->count,
		.addresses = query->addresses,
		.mx = query->mx,
		.name = query->name,
		.names = query->names,
		.why = query->count > 0 ? NULL : query->why,
		.ttl = query->ttl,
	};

	if (query->done != NULL)
		query->done(&answer, query->argument);
	query_free(query);
}

static void
on_soon(evutil_socket_t fd, short what, void *argument)
{
	answer(argument);
}

void
query_finish(struct resolve_query *query)
{
	if (query->waiting == 0 && !query->starting)
		answer(query);
}

struct resolve_query *
query_new(struct resolver *resolver, resolve_done *done, void *argument)
{
	struct resolve_query *query = mem_zalloc(1, sizeof(*query));

	query->resolver = resolver;
	query->done = done;
	query->argument = argument;
	query->starting = true;
	/* NXDOMAIN of one family does not outweigh "try again" of the other. */
	query->result = RESOLVE_NOT_FOUND;
	return query;
}

/* All questions are asked; perhaps they are answered already. */
struct resolve_query *
query_started(struct resolve_query *query)
{
	struct timeval now = { 0, 0 };

	query->starting = false;
	if (query->waiting > 0) {
		channel_set_timer(query->resolver);
		return query;
	}
	query->soon = evtimer_new(query->resolver->base, on_soon, query);
	evtimer_add(query->soon, &now);
	return query;
}

void
resolve_cancel(struct resolve_query **query)
{
	struct resolve_query *q = *query;

	*query = NULL;
	if (q == NULL)
		return;
	q->done = NULL;
	if (q->waiting == 0)
		query_free(q);
}

static enum resolve_result
result_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return RESOLVE_FOUND;
	case ARES_ENOTFOUND:
	case ARES_EBADNAME:
		return RESOLVE_NOT_FOUND;
	case ARES_ENODATA:
		return RESOLVE_NO_DATA;
	default:
		return RESOLVE_TEMPORARY;
	}
}

/* An answer has come. True if it may be looked at. */
bool
query_arrived(struct resolve_query *query, int status)
{
	query->waiting--;
	if (status == ARES_EDESTRUCTION || query->done == NULL) {
		if (query->waiting == 0)
			query_free(query);
		return false;
	}
	return true;
}

/* The status of an answer with what the sieve left of it. */
int
query_sifted(struct resolve_query *query, int status, unsigned char *bytes,
    int length)
{
	const char *why = status != ARES_SUCCESS || query->as_library ? NULL :
	    sift(query->resolver->sieve, bytes, (size_t)length);

	if (why == NULL)
		return status;
	query->why = why;
	return ARES_EREFUSED;
}

void
query_note(struct resolve_query *query, int status)
{
	enum resolve_result result = result_of(status);

	if (result > query->result)
		query->result = result;
}
