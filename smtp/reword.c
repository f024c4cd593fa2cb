/* Replies that the administrator changes before anybody acts on them: smtp_reply_filter. */

#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "table/maps.h"

static struct maps *filter;

void
reword_start(void)
{
	filter = maps_open("smtp_reply_filter", config.smtp_reply_filter);
}

bool
reword_reply(const struct session *session, struct smtp_reply *reply)
{
	struct text other = TEXT_EMPTY;
	char *lines, *cursor, *line;
	const char *value;
	bool is_changed = false;

	if (maps_are_empty(filter))
		return true;
	cursor = lines = mem_strdup(text_string(&reply->text));
	while ((line = strsep(&cursor, "\n")) != NULL) {
		bool found = maps_find(filter, line, &value) == TABLE_FOUND;

		text_printf(&other, "%s\r\n", found ? value : line);
		is_changed |= found;
	}
	free(lines);
	if (is_changed) {
		smtp_reply_reset(reply);
		smtp_reply_read(reply, other.bytes, other.length);
		log_debug("< %s: smtp_reply_filter made of it: %s",
		    session->relay, text_string(&reply->text));
	}
	text_clear(&other);
	return reply->progress == SMTP_REPLY_WHOLE;
}
