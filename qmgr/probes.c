/* probes - what became of a probe, for verify(8), who sent it */

#include "qmgr/qmgr.h"

#include "config/config.h"
#include "delivery/verify.h"

/* The address that verify asked about is the one before aliases. If verify is not there it asks again. */
void
probes_tell(const struct message *message, const struct delivery_result *result)
{
	static struct ipc_client *verify;
	const struct recipient *recipient =
	    &message->envelope->recipients[result->number];
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	if (verify == NULL)
		verify = ipc_client_new(service_base,
		    config.address_verify_service_name);
	ipc_encode_verify_update(&packet, 0, &(struct ipc_verify_update){
	    .address = *recipient->original != '\0' ? recipient->original :
		recipient->address,
	    .status = result->status == DELIVERY_SENT ? VERIFY_OK :
		result->status == DELIVERY_BOUNCED ? VERIFY_BOUNCE :
		VERIFY_DEFER,
	    .text = result->text });
	ipc_client_call(verify, &packet, NULL, NULL);
}
