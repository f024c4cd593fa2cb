/* offers - what the host says that it can do, in its reply to EHLO */

#include "client.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"

static bool
is_discarded(const char *keyword, size_t length)
{
	char *list = mem_strdup(config.smtp_discard_ehlo_keywords);
	char *cursor = list, *word;
	bool found = false;

	while (!found && (word = word_next(&cursor, LIST_SEPARATORS)) != NULL)
		found = strlen(word) == length &&
		    strncasecmp(word, keyword, length) == 0;
	free(list);
	return found;
}

/* One line of the reply to EHLO, without its code. */
static void
note_offer(struct session *session, const char *line, size_t length)
{
	static const struct { const char *keyword; unsigned bit; } offers[] = {
		{ "PIPELINING", OFFERS_PIPELINING }, { "SIZE", OFFERS_SIZE },
		{ "8BITMIME", OFFERS_8BITMIME }, { "DSN", OFFERS_DSN },
		{ "SMTPUTF8", OFFERS_SMTPUTF8 },
	};
	size_t word = 0;

	while (word < length && line[word] != ' ')
		word++;
	if (is_discarded(line, word))
		return;
	if (word == strlen("XFORWARD") &&
	    strncasecmp(line, "XFORWARD", word) == 0)
		xforward_note_offer(session, line + word, length - word);
	for (size_t i = 0; i < COUNT_OF(offers); i++) {
		if (strlen(offers[i].keyword) != word ||
		    strncasecmp(offers[i].keyword, line, word) != 0)
			continue;
		session->offers |= offers[i].bit;
		if (offers[i].bit == OFFERS_SIZE && word < length)
			session->size_limit = strtoll(line + word, NULL, 10);
	}
	if (session->size_limit < 0)
		session->size_limit = 0;
}

void
offers_forget(struct session *session)
{
	session->offers = session->xforward = 0;
	session->size_limit = 0;
}

void
offers_note(struct session *session)
{
	const char *line = strchr(text_string(&session->reply.text), '\n');

	offers_forget(session);
	while (line != NULL) {
		const char *end = strchr(++line, '\n');
		size_t length = end == NULL ? strlen(line) :
		    (size_t)(end - line);

		if (length > 4)
			note_offer(session, line + 4, length - 4);
		line = end;
	}
}
