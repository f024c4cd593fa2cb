/*
 * verify - can mail to this address be delivered?
 *
 * In       questions of smtpd (reject_unverified_sender and _recipient); from
 *          qmgr, what became of probes
 * Out      what is known, at once; probes to cleanup
 * Touches  its cache, address_verify_map
 * Trusts   qmgr. The addresses come from strangers
 * Killed   probes that were under way are forgotten and sent again; what was
 *          learnt since the last minute is learnt again
 *
 * A probe is a message that takes the way of any other, up to where it would
 * be delivered: smtp leaves after RCPT, local looks the user up. Who asks
 * hears what is known already, and asks again a little later if that is nothing.
 */

#include "verify/verify.h"

#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "config/config.h"
#include "service/service.h"

static char *
key_of(const char *address)
{
	return text_lower(mem_strdup(address));
}

static void
tell(struct ipc_channel *channel, const struct ipc_packet *question,
    const char *address)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	char *key = key_of(address);
	struct verdict verdict;

	memory_recall(key, &verdict);
	ipc_encode_verify_told(&reply, ipc_packet_request(question),
	    &(struct ipc_verify_told){ .status = verdict.status,
	    .text = verdict.text });
	ipc_channel_send(channel, &reply);
	if (memory_is_stale(&verdict))
		probe_send(key, address);
	free(key);
}

static void
learn(const struct ipc_verify_update *update)
{
	char *key = key_of(update->address);

	if (update->status >= VERIFY_OK && update->status <= VERIFY_BOUNCE)
		memory_learn(key, (enum verify_status)update->status,
		    update->text);
	probe_done(key);
	free(key);
}

static void
on_packet(struct ipc_channel *channel, struct ipc_packet *packet, void *context)
{
	struct ipc_verify_query query;
	struct ipc_verify_update update;

	if (ipc_decode_verify_query(packet, &query) == 0) {
		tell(channel, packet, query.address);
	} else if (ipc_decode_verify_update(packet, &update) == 0) {
		learn(&update);
		ipc_channel_answer(channel, packet, 0);
	} else {
		log_warning("unexpected %s packet",
		    ipc_kind_name(ipc_packet_kind(packet)));
		ipc_channel_answer(channel, packet, EINVAL);
	}
}

/* The directory of the cache is known only now. */
static struct sandbox_path paths[2];

static void
ready(void)
{
	paths[0] = (struct sandbox_path){ memory_open(), true };
}

int
main(int argc, char **argv)
{
	static const struct service verify = {
		.name	 = "verify",
		.ready	 = ready,
		.packet	 = on_packet,
		.sandbox = SANDBOX_SOCKETS | SANDBOX_READ | SANDBOX_WRITE |
		    SANDBOX_UNLINK,
		.paths	 = paths,
	};
	int status = service_events(&verify, argc, argv);

	memory_close();
	return status;
}
