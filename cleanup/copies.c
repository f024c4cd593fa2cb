/*
 * copies - who else gets a message because the administrator says so
 *
 * sender_bcc_maps, recipient_bcc_maps and always_bcc. Copies are made of what
 * comes from outside and from local users; not of what we forward, return or
 * requeue, which was seen before. If a copy cannot be delivered its sender
 * hears nothing of it, for he did not ask for it.
 */

#include "cleanup/cleanup.h"

#include "config/config.h"
#include "rewrite/rewrite.h"

static struct maps *sender_maps, *recipient_maps;

void
copies_open(void)
{
	sender_maps = maps_open("sender_bcc_maps", config.sender_bcc_maps);
	recipient_maps = maps_open("recipient_bcc_maps",
	    config.recipient_bcc_maps);
}

bool
copies_are_wanted(const struct envelope *envelope)
{
	return submission_is_new(envelope) &&
	    !(envelope->flags & ENVELOPE_NO_EXPAND);
}

static enum table_answer
find(struct maps *maps, const char *address, char **copies)
{
	if (*address == '\0' || maps_are_empty(maps))
		return TABLE_NONE;
	return rewrite_look_up(maps, address, copies, NULL);
}

enum table_answer
copies_of_sender(const char *sender, char **copies)
{
	return find(sender_maps, sender, copies);
}

enum table_answer
copies_of_recipient(const char *recipient, char **copies)
{
	return find(recipient_maps, recipient, copies);
}
