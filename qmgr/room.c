/* room - how much mail may be in memory at a time */

#include "qmgr/qmgr.h"

#include "config/config.h"

/* What is in memory of new mail, and of mail that waited: messages, and recipients that count. */
static struct { size_t messages, recipients; } load[2];

/* A list counts for no more than a tenth of all recipients, or it would stop everybody. */
static size_t
recipients_that_count(const struct message *message)
{
	size_t most = (size_t)config.qmgr_message_recipient_limit / 10 + 1;

	return message->envelope->recipient_count < most ?
	    message->envelope->recipient_count : most;
}

/*
 * Neither kind of mail may fill all of the memory that there is: a quarter
 * stays for the other, so that neither waits for ever behind it.
 */
static size_t
room_for(size_t mine, size_t other, size_t limit)
{
	size_t share = limit - limit / 4;
	size_t all = mine + other < limit ? limit - mine - other : 0;
	size_t own = mine < share ? share - mine : 0;

	return own < all ? own : all;
}

static struct room
room_of(bool waited)
{
	return (struct room){
		.messages = room_for(load[waited].messages,
		    load[!waited].messages,
		    (size_t)config.qmgr_message_active_limit),
		.recipients = room_for(load[waited].recipients,
		    load[!waited].recipients,
		    (size_t)config.qmgr_message_recipient_limit),
	};
}

bool
message_has_room(bool waited)
{
	struct room room = room_of(waited);

	return load[waited].messages == 0 ||
	    (room.messages > 0 && room.recipients > 0);
}

struct room
message_room(bool waited)
{
	struct room room = room_of(waited);

	room.messages += place_leaving();
	room.recipients += place_leaving();
	return room;
}

int
room_percent_used(void)
{
	int64_t messages = (int64_t)(load[0].messages + load[1].messages);
	int64_t recipients = (int64_t)(load[0].recipients + load[1].recipients);
	int64_t by_messages = messages * 100 / config.qmgr_message_active_limit;
	int64_t by_recipients = recipients * 100 /
	    config.qmgr_message_recipient_limit;

	return (int)(by_messages > by_recipients ? by_messages : by_recipients);
}

void
room_enter(const struct message *message)
{
	load[message->waited].messages++;
	load[message->waited].recipients += recipients_that_count(message);
}

void
room_leave(const struct message *message)
{
	load[message->waited].messages--;
	load[message->waited].recipients -= recipients_that_count(message);
}
