/* ipc - a packet that decodes says the same when it is encoded again; no other packet harms */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/ipc.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* A decoded message goes back into a packet and must be the same bytes (a descriptor counts as absent). */
#define MESSAGE(name, fields)						\
	case IPC_##name: {						\
		struct ipc_##name message;				\
									\
		if (ipc_decode_##name(&packet, &message) == -1)		\
			break;						\
		ipc_encode_##name(&again, ipc_packet_request(&packet), &message); \
		if (again.body.length != packet.body.length ||		\
		    memcmp(again.body.bytes, packet.body.bytes, again.body.length) != 0) \
			abort();					\
		break;							\
	}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY, again = IPC_PACKET_EMPTY;

	text_append(&packet.body, bytes, length);
	switch (ipc_packet_kind(&packet)) {
#include "ipc/messages.def"
	default:
		break;
	}
	ipc_packet_clear(&packet);
	ipc_packet_clear(&again);
	return 0;
}
