/*
 * questions - has this site a list: asked of fast_flush_domains until it knows
 *
 * What a table's server has to tell is waited for while others are answered.
 * Nothing is done before it is known of all domains of a question.
 */

#include "flush/flush.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/base.h"
#include "service/service.h"
#include "spool/spool.h"
#include "table/asker.h"

#define AT_ONCE	20	/* domains of one message that are asked about */

struct question {
	TAILQ_ENTRY(question)	 link;
	struct ipc_channel	*channel;	/* NULL: who asked is gone */
	uint64_t		 request;
	char			*queue_id;	/* waits for the sites; NULL: somebody wishes for one */
	char			*sites;		/* a line each */
	struct table_asker	 asker;
};

static TAILQ_HEAD(, question) waiting = TAILQ_HEAD_INITIALIZER(waiting);

static void
question_free(struct question *q)
{
	TAILQ_REMOVE(&waiting, q, link);
	table_asker_clear(&q->asker);
	free(q->queue_id);
	free(q->sites);
	free(q);
	service_check_idle();
}

static void
answer(const struct question *q, int error)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;

	if (q->channel == NULL)
		return;
	ipc_encode_done(&reply, q->request, &(struct ipc_done){
	    .error = error, .reason = error != 0 ? strerror(error) : "" });
	ipc_channel_send(q->channel, &reply);
}

/* Each site: can it be said? And, if acts, what follows from it. Gives what is wrong with the last. */
static int
look_at(const struct question *q, bool acts)
{
	char *sites = mem_strdup(q->sites), *cursor = sites, *site;
	int error = EINVAL;

	while ((site = word_next(&cursor, "\n")) != NULL) {
		error = sites_error(site);
		if (!acts || error != 0)
			continue;
		if (q->queue_id == NULL)
			wake_site(site);
		else
			sites_add(site, q->queue_id);
	}
	free(sites);
	return error;
}

static void
try(void *argument)
{
	struct question *q = argument;
	int error;

	table_ask_with(&q->asker);
	look_at(q, false);
	if (q->asker.pending > 0) {
		table_ask_with(NULL);
		return;
	}
	error = look_at(q, true);
	table_ask_with(NULL);
	answer(q, q->queue_id != NULL ? 0 : error);
	question_free(q);
}

void
questions_begin(struct ipc_channel *channel, uint64_t request,
    const char *queue_id, const char *sites, size_t length)
{
	struct question *q = mem_zalloc(1, sizeof(*q));

	q->channel = channel;
	q->request = request;
	q->queue_id = queue_id == NULL ? NULL : mem_strdup(queue_id);
	q->sites = mem_strndup(sites, length);
	q->asker = (struct table_asker){ .ask = service_ask_table,
	    .argument = q, .again = try, .at_once = AT_ONCE };
	TAILQ_INSERT_TAIL(&waiting, q, link);
	try(q);
}

void
questions_forget(struct ipc_channel *channel)
{
	struct question *q;

	TAILQ_FOREACH(q, &waiting, link)
		if (q->channel == channel)
			q->channel = NULL;
}

bool
questions_are_open(void)
{
	return !TAILQ_EMPTY(&waiting);
}
