/* Tables that are read by proxymap(8) for a process that cannot. */

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "ipc/ipc.h"
#include "table/internal.h"

enum table_answer
table_ask_proxy(struct table *table, const char *key)
{
	static int fd = -1;
	struct ipc_packet request = IPC_PACKET_EMPTY, reply = IPC_PACKET_EMPTY;
	struct ipc_lookup question = { table->name, table->flags, key };
	struct ipc_looked_up answer;
	enum table_answer result = TABLE_ERROR;

	ipc_encode_lookup(&request, 0, &question);
	if (ipc_call(&fd, config.proxymap_service_name, &request, &reply) == -1)
		text_printf(&table->why, "ask the %s service: %s",
		    config.proxymap_service_name, strerror(errno));
	else if (ipc_decode_looked_up(&reply, &answer) == -1) {
		text_printf(&table->why, "the %s service answers nonsense",
		    config.proxymap_service_name);
		fd_close(&fd);
	} else {
		result = answer.status > 0 ? TABLE_FOUND
		    : answer.status == 0 ? TABLE_NONE : TABLE_ERROR;
		text_puts(result == TABLE_ERROR ? &table->why : &table->value,
		    answer.value);
	}
	ipc_packet_clear(&request);
	ipc_packet_clear(&reply);
	return result;
}
