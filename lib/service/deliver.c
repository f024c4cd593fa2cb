#include "service/deliver.h"

void
service_deliver(struct service_request *requests, size_t count,
    void (*deliver)(struct delivery_request *request))
{
	for (size_t i = 0; i < count; i++) {
		struct delivery_request *request =
		    delivery_request_decode(&requests[i].packet);
		struct ipc_packet reply = IPC_PACKET_EMPTY;

		if (request == NULL) {
			service_reject(&requests[i]);
			continue;
		}
		deliver(request);
		delivery_encode_reply(request, &reply);
		service_reply(&requests[i], &reply);
		delivery_request_free(&request);
	}
}
