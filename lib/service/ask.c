/* ask - what an event loop's daemon asks of tables that only proxymap(8) can read */

#include "service/service.h"

#include "config/config.h"
#include "ipc/channel.h"
#include "table/far.h"

static void
on_answer(struct ipc_packet *packet, void *argument)
{
	struct table_question *question = argument;
	struct table_asker *asker = question->asker;

	table_question_answered(question, packet);
	if (asker->pending == 0)
		asker->again(asker->argument);
}

void
service_ask_table(struct table_question *question, void *argument)
{
	static struct ipc_client *proxymap;
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	if (proxymap == NULL)
		proxymap = ipc_client_new(service_base,
		    config.proxymap_service_name);
	table_question_encode(question, &packet);
	ipc_client_call(proxymap, &packet, on_answer, question);
}
