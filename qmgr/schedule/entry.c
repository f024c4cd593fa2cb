/* entry - one delivery: some recipients of one message, to one destination */

#include "qmgr/schedule/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "address/address.h"

static void
hold(struct held held[HELD_KINDS], const struct entry *entry)
{
	held[entry->message->waited].messages++;
	held[entry->message->waited].recipients += entry->count;
}

static void
let_go(struct held held[HELD_KINDS], const struct entry *entry)
{
	held[entry->message->waited].messages--;
	held[entry->message->waited].recipients -= entry->count;
}

struct entry *
entry_new(struct destination *destination, struct message *message,
    const size_t *places, size_t count, bool is_large)
{
	struct entry *entry = mem_zalloc(1, sizeof(*entry));

	entry->destination = destination;
	entry->message = message;
	entry->recipients = mem_resize(NULL, count, sizeof(*places));
	memcpy(entry->recipients, places, count * sizeof(*places));
	entry->count = count;
	entry->is_large = is_large;
	if (!is_large) {
		hold(destination->held, entry);
		hold(destination->transport->held, entry);
	}
	return entry;
}

void
entry_free(struct entry **entry)
{
	struct destination *destination = (*entry)->destination;

	if (!(*entry)->is_large) {
		let_go(destination->held, *entry);
		let_go(destination->transport->held, *entry);
	}
	free((*entry)->recipients);
	free(*entry);
	*entry = NULL;
}

void
entry_defer(struct message *message, const size_t *places, size_t count,
    const char *dsn, const char *reason)
{
	for (size_t i = 0; i < count; i++) {
		const struct recipient *recipient =
		    &message->envelope->recipients[places[i]];
		char to[ADDRESS_EXTERNAL_SIZE];

		log_info("%s: to=<%s>, relay=none, delay=0, delays=0/0/0/0, "
		    "dsn=%s, status=deferred (%s)", message->id,
		    address_external(to, recipient->address), dsn, reason);
		message_result(message, &(struct delivery_result){
		    .number = (int64_t)places[i],
		    .status = DELIVERY_DEFERRED, .dsn = dsn, .text = reason,
		    .relay = "none", .remote_mta = "", .diagnostic = "" });
	}
}

void
entry_queue(struct entry *entry, bool first)
{
	struct destination *destination = entry->destination;

	if (first)
		TAILQ_INSERT_HEAD(&destination->waiting, entry, next);
	else
		TAILQ_INSERT_TAIL(&destination->waiting, entry, next);
	LIST_INSERT_HEAD(&entry->message->waiting, entry, of_message);
	pace_enter(&destination->pace, (int64_t)entry->count);
	pace_enter(&destination->transport->pace, (int64_t)entry->count);
}

void
entry_unqueue(struct entry *entry)
{
	struct destination *destination = entry->destination;

	TAILQ_REMOVE(&destination->waiting, entry, next);
	LIST_REMOVE(entry, of_message);
	pace_leave(&destination->pace, (int64_t)entry->count);
	pace_leave(&destination->transport->pace, (int64_t)entry->count);
}
