#include "table/far.h"

#include <errno.h>

#include "base/base.h"
#include "config/config.h"

/* Asked, in the order of their numbers: most are answered in it, too. */
static TAILQ_HEAD(, table_question) awaited = TAILQ_HEAD_INITIALIZER(awaited);
static int connection = -1;

void
table_question_encode(const struct table_question *question,
    struct ipc_packet *packet)
{
	ipc_encode_lookup(packet, 0, &(struct ipc_lookup){ question->table,
	    question->flags, question->key });
}

void
table_question_answered(struct table_question *question,
    const struct ipc_packet *packet)
{
	struct ipc_looked_up told;

	if (packet == NULL || ipc_decode_looked_up(packet, &told) == -1) {
		log_warning("the %s service does not answer",
		    config.proxymap_service_name);
		table_asker_note(question, TABLE_ERROR,
		    "the proxymap service does not answer");
	} else
		table_asker_note(question, told.status > 0 ? TABLE_FOUND :
		    told.status == 0 ? TABLE_NONE : TABLE_ERROR, told.value);
}

static void
answered(struct table_question *question, const struct ipc_packet *packet)
{
	TAILQ_REMOVE(&awaited, question, link);
	table_question_answered(question, packet);
}

/* Over the connection from before, or, if that is dead and nobody waits to hear so, a new one. */
static int
send_to_proxymap(const struct ipc_packet *packet)
{
	if (connection != -1 && ipc_send(connection, packet) == 0)
		return 0;
	if (connection != -1 && !TAILQ_EMPTY(&awaited))
		return -1;
	fd_close(&connection);
	connection = ipc_connect(config.proxymap_service_name, false);
	return connection == -1 ? -1 : ipc_send(connection, packet);
}

void
far_ask(struct table_question *question, void *unused)
{
	static uint64_t last_number;
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	question->number = ++last_number;
	table_question_encode(question, &packet);
	ipc_packet_set_request(&packet, question->number);
	if (send_to_proxymap(&packet) == 0)
		TAILQ_INSERT_TAIL(&awaited, question, link);
	else
		table_question_answered(question, NULL);
	ipc_packet_clear(&packet);
}

int
far_fd(void)
{
	return TAILQ_EMPTY(&awaited) ? -1 : connection;
}

static void
take_answer(const struct ipc_packet *packet)
{
	uint64_t number = ipc_packet_request(packet);
	struct table_question *question;

	TAILQ_FOREACH(question, &awaited, link) {
		if (question->number == number) {
			answered(question, packet);
			return;
		}
	}
}

void
far_receive(void)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	int got;

	while (!TAILQ_EMPTY(&awaited) &&
	    (got = ipc_receive(connection, &packet, false)) == 1)
		take_answer(&packet);
	if (!TAILQ_EMPTY(&awaited) && (got == 0 || errno != EAGAIN)) {
		fd_close(&connection);
		while (!TAILQ_EMPTY(&awaited))
			answered(TAILQ_FIRST(&awaited), NULL);
	}
	ipc_packet_clear(&packet);
}

void
far_forget(const struct table_asker *asker)
{
	struct table_question *question, *next;

	TAILQ_FOREACH_SAFE(question, &awaited, link, next) {
		if (question->asker == asker)
			TAILQ_REMOVE(&awaited, question, link);
	}
}
