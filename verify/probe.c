/* probe - messages that are never delivered, and which of them are under way */

#include "verify/verify.h"

#include <stdlib.h>

#include "base/base.h"
#include "config/config.h"
#include "ipc/channel.h"
#include "message/envelope.h"
#include "service/service.h"

/* One that was not heard of for so long is lost. */
#define PROBE_SECONDS	1000

/* An envelope of one recipient. */
#define PROBE_POOL	16384

static struct map *pending;	/* by key: the time it was sent */
static struct ipc_client *cleanup;

static void
forget(const char *key)
{
	if (pending != NULL)
		free(map_remove(pending, key));
}

void
probe_done(const char *key)
{
	forget(key);
}

/* Does one more fit, and is none for this address under way? Then it counts from now on. */
static bool
claim(const char *key)
{
	int64_t now = clock_ms() / 1000;
	int64_t *sent_at;

	if (pending == NULL)
		pending = map_new();
	sent_at = map_get(pending, key);
	if (sent_at != NULL && now - *sent_at < PROBE_SECONDS)
		return false;
	if (sent_at == NULL && map_count(pending) >=
	    (size_t)config.address_verify_pending_request_limit) {
		log_warning("%zu probes are under way, which is "
		    "address_verify_pending_request_limit: %s must wait",
		    map_count(pending), key);
		return false;
	}
	sent_at = mem_alloc(sizeof(*sent_at));
	*sent_at = now;
	free(map_set(pending, key, sent_at));
	return true;
}

static void
on_submitted(struct ipc_packet *reply, void *context)
{
	char *key = context;
	struct ipc_submit_result result = { .reason = "no answer" };

	if (reply == NULL || ipc_decode_submit_result(reply, &result) == -1 ||
	    *result.queue_id == '\0') {
		log_warning("a probe for %s cannot be sent: %s", key,
		    result.reason);
		forget(key);
	}
	free(key);
}

static int
encode(const char *address, struct text *out)
{
	struct pool *pool = pool_new(PROBE_POOL);
	struct envelope *envelope = envelope_new(pool);
	struct text sender = TEXT_EMPTY;
	int result = -1;

	if (envelope != NULL &&
	    envelope_add_recipient(envelope, address) != NULL) {
		verify_sender(&sender);
		envelope->sender = text_string(&sender);
		envelope->flags = ENVELOPE_VERIFY | ENVELOPE_PROBE;
		envelope_encode(envelope, out);
		result = 0;
	}
	text_clear(&sender);
	pool_free(&pool);
	return result;
}

void
probe_send(const char *key, const char *address)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct text envelope = TEXT_EMPTY;

	if (!claim(key))
		return;
	if (cleanup == NULL)
		cleanup = ipc_client_new(service_base,
		    config.cleanup_service_name);
	if (encode(address, &envelope) == 0) {
		ipc_encode_submit(&packet, 0, &(struct ipc_submit){
		    .envelope = { envelope.bytes, envelope.length },
		    .content = { "", 0 }, .file = -1 });
		ipc_client_call(cleanup, &packet, on_submitted,
		    mem_strdup(key));
	}
	text_clear(&envelope);
}
