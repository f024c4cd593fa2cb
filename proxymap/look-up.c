/* A look-up: most are answered at once; one that a server must answer is made again when it has. */

#include <stdlib.h>
#include <sys/queue.h>

#include "base/base.h"
#include "proxymap/proxymap.h"
#include "table/asker.h"

struct look_up {
	TAILQ_ENTRY(look_up)	 link;
	struct ipc_channel	*channel;	/* NULL: who asked is gone */
	uint64_t		 request;
	struct table		*table;
	char			*key;
	struct table_asker	 asker;
};

static TAILQ_HEAD(, look_up) waiting = TAILQ_HEAD_INITIALIZER(waiting);

static void
reply(struct look_up *l, enum table_answer status, const char *value)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	if (l->channel == NULL)
		return;
	ipc_encode_looked_up(&packet, l->request,
	    &(struct ipc_looked_up){ .status = status, .value = value });
	ipc_channel_send(l->channel, &packet);
}

static void
look_up_free(struct look_up *l)
{
	TAILQ_REMOVE(&waiting, l, link);
	table_asker_clear(&l->asker);
	free(l->key);
	free(l);
}

static void
try(struct look_up *l)
{
	const char *value;
	enum table_answer answer;

	table_ask_with(&l->asker);
	answer = table_get(l->table, l->key, &value);
	table_ask_with(NULL);
	if (l->asker.pending > 0)
		return;
	reply(l, answer, answer == TABLE_FOUND ? value :
	    answer == TABLE_ERROR ? table_why(l->table) : "");
	look_up_free(l);
}

static void
on_told(enum table_answer answer, const char *text, void *argument)
{
	struct table_question *question = argument;

	table_asker_note(question, answer, text);
	try(question->asker->argument);
}

static void
ask(struct table_question *question, void *argument)
{
	server_ask(question->table, question->key, on_told, question);
}

void
look_up(struct ipc_channel *channel, uint64_t request,
    const struct ipc_lookup *question)
{
	struct look_up *l = mem_zalloc(1, sizeof(*l));

	l->channel = channel;
	l->request = request;
	l->table = proxymap_find(question->table, (int)question->flags);
	l->key = mem_strdup(question->key);
	l->asker = (struct table_asker){ .ask = ask, .argument = l };
	TAILQ_INSERT_TAIL(&waiting, l, link);
	if (l->table != NULL) {
		try(l);
		return;
	}
	log_warning("%s is not in proxy_read_maps: not read", question->table);
	reply(l, TABLE_ERROR, "not in proxy_read_maps");
	look_up_free(l);
}

void
look_up_forget(const struct ipc_channel *channel)
{
	struct look_up *l;

	TAILQ_FOREACH(l, &waiting, link)
		if (l->channel == channel)
			l->channel = NULL;
}
