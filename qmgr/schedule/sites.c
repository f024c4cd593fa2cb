/* sites - mail that waits for a site: flush(8) keeps the lists, and says when it is to be tried */

#include "qmgr/qmgr.h"

#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "config/config.h"

/* When flush does not keep up, what it is not told waits for its time. */
#define UNANSWERED_MAX	10000

static struct ipc_client *flush;
static size_t unanswered;

static void
on_remembered(struct ipc_packet *reply, void *context)
{
	unanswered--;
}

/* The domains of recipients that wait, each once, a line each. */
static void
list_domains(const struct message *message, struct text *domains)
{
	struct map *seen = map_new();

	for (size_t i = 0; i < message->envelope->recipient_count; i++) {
		const char *domain = address_domain(
		    message->envelope->recipients[i].address);
		char *folded;

		if (message->states[i] != RECIPIENT_DEFERRED || domain == NULL)
			continue;
		folded = text_lower(mem_strdup(domain));
		if (map_set(seen, folded, domains) == NULL)
			text_printf(domains, "%s\n", folded);
		free(folded);
	}
	map_free(&seen, NULL);
}

void
sites_remember(const struct message *message)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct text domains = TEXT_EMPTY;

	if (*config.fast_flush_domains == '\0' || unanswered == UNANSWERED_MAX)
		return;
	if (flush == NULL)
		flush = ipc_client_new(service_base, config.flush_service_name);
	list_domains(message, &domains);
	ipc_encode_flush_add(&packet, 0, &(struct ipc_flush_add){
	    .queue_id = message->id,
	    .domains = { text_string(&domains), domains.length } });
	unanswered++;
	ipc_client_call(flush, &packet, on_remembered, NULL);
	text_clear(&domains);
}

void
sites_packet(struct ipc_channel *channel, struct ipc_packet *packet)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct ipc_wake wake = { .ids = { "", 0 } };
	char *ids, *cursor, *id;

	if (ipc_decode_wake(packet, &wake) == -1)
		log_warning("a wake packet that cannot be read");
	ids = cursor = mem_strndup(wake.ids.bytes, wake.ids.length);
	while ((id = word_next(&cursor, "\n")) != NULL) {
		if (spool_id_is_valid(id))
			deferred_wake(id, true);
	}
	free(ids);
	ipc_encode_done(&reply, ipc_packet_request(packet),
	    &(struct ipc_done){ .reason = "" });
	ipc_channel_send(channel, &reply);
}
