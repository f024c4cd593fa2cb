/* What a check asks of tables: those that only proxymap can read it waits for, while others go on. */

#include "smtpd/check/check.h"

#include <stdlib.h>

#include "config/config.h"
#include "ipc/channel.h"
#include "service/service.h"
#include "table/far.h"
#include "table/maps.h"

#define KNOWN_MAX	4000	/* answers that one transaction remembers */

/* From the first look-up of a transaction on. With again set a question is not the transaction's, and outlives it. */
struct far_tables {
	struct table_asker	asker;
	uint64_t		call;	/* to proxymap; 0: none is under way */
	tables_done		*again;	/* NULL: a check asked */
};

static struct ipc_client *proxymap;

static void
on_looked_up(struct ipc_packet *packet, void *argument)
{
	struct table_question *question = argument;
	struct session *s = question->asker->argument;

	tables_done *again = s->far_tables->again;

	s->far_tables->call = 0;
	s->far_tables->again = NULL;
	table_question_answered(question, packet);
	if (again == NULL) {
		checks_go_on(s);
		return;
	}
	s->busy = false;
	again(s);
	if (!s->busy)
		session_go_on(s);
}

/* A table that is far away, or part of one that is here. */
static void
ask(struct table_question *question, void *argument)
{
	struct session *s = argument;
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	if (proxymap == NULL)
		proxymap = ipc_client_new(service_base,
		    config.proxymap_service_name);
	table_question_encode(question, &packet);
	s->far_tables->call = ipc_client_call(proxymap, &packet, on_looked_up,
	    question);
}

bool
tables_are_asked(const struct session *s)
{
	return s->far_tables != NULL && s->far_tables->call != 0;
}

void
tables_cancel(struct session *s)
{
	if (!tables_are_asked(s) || s->far_tables->again != NULL)
		return;
	ipc_client_cancel(proxymap, s->far_tables->call);
	s->far_tables->call = 0;
	table_asker_clear(&s->far_tables->asker);
}

void
tables_forget(struct session *s)
{
	if (s->far_tables == NULL || s->far_tables->again != NULL)
		return;
	tables_cancel(s);
	table_asker_clear(&s->far_tables->asker);
	free(s->far_tables);
	s->far_tables = NULL;
}

void
tables_end(struct session *s)
{
	if (s->far_tables != NULL)
		s->far_tables->again = NULL;
	tables_forget(s);
}

void
tables_forget_unasked(struct session *s)
{
	if (s->far_tables != NULL && s->far_tables->asker.questions == NULL)
		tables_forget(s);
}

void
told_begin_tables(struct session *s)
{
	if (s->far_tables != NULL && s->far_tables->asker.questions != NULL &&
	    map_count(s->far_tables->asker.questions) >= KNOWN_MAX)
		tables_forget(s);
	if (s->far_tables == NULL) {
		s->far_tables = mem_zalloc(1, sizeof(*s->far_tables));
		s->far_tables->asker = (struct table_asker){ .ask = ask,
		    .argument = s };
	}
	table_ask_with(&s->far_tables->asker);
}

bool
told_end_tables(struct session *s)
{
	table_ask_with(NULL);
	return !tables_are_asked(s);
}

bool
told_end_tables_or(struct session *s, tables_done *again)
{
	if (told_end_tables(s))
		return true;
	s->far_tables->again = again;
	s->busy = true;
	return false;
}

bool
told_table(struct session *s, struct table *table, const char *key,
    enum table_answer *answer, const char **value)
{
	told_begin_tables(s);
	*answer = table_get(table, key, value);
	return told_end_tables(s);
}

/* Who is being checked: maps do not know sessions. */
static struct session *asker;

void
told_asks(struct session *s)
{
	asker = s;
}

static bool
look(struct table *table, const char *key, enum table_answer *answer,
    const char **value)
{
	return told_table(asker, table, key, answer, value);
}

struct maps *
told_open_maps(const char *parameter, const char *list)
{
	struct maps *maps = maps_open(parameter, list);

	maps_look_with(maps, look);
	return maps;
}
