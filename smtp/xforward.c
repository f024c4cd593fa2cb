/*
 * xforward - who the client was, for a content filter that logs it
 *
 * XFORWARD is Postfix's: before MAIL up to two commands say where the message
 * came from, and under which queue id we have it. A refusal changes nothing.
 */

#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"
#include "smtp/command.h"

/* What is said in one command; a line has 512 octets. */
#define COMMANDS	2

typedef const char *value(const struct envelope *envelope, char room[24]);

static const char *
client_name(const struct envelope *envelope, char room[24])
{
	return strcmp(envelope->client_name, "unknown") == 0 ? "" :
	    envelope->client_name;
}

static const char *
client_address(const struct envelope *envelope, char room[24])
{
	return strcmp(envelope->client_address, "unknown") == 0 ? "" :
	    envelope->client_address;
}

static const char *
client_port(const struct envelope *envelope, char room[24])
{
	if (envelope->client_port <= 0)
		return "";
	snprintf(room, 24, "%lld", (long long)envelope->client_port);
	return room;
}

static const char *
protocol(const struct envelope *envelope, char room[24])
{
	return envelope->protocol_name;
}

static const char *
helo(const struct envelope *envelope, char room[24])
{
	return envelope->helo_name;
}

static const char *
ident(const struct envelope *envelope, char room[24])
{
	return envelope->queue_id;
}

static const char *
source(const struct envelope *envelope, char room[24])
{
	return envelope->flags & ENVELOPE_LOCAL_ORIGIN ? "LOCAL" : "REMOTE";
}

static const struct attribute {
	const char	*name;
	int		 command;
	value		*get;		/* "": nobody knows */
} attributes[] = {
	{ "NAME", 0, client_name },
	{ "ADDR", 0, client_address },
	{ "PORT", 0, client_port },
	{ "PROTO", 1, protocol },
	{ "HELO", 1, helo },
	{ "IDENT", 1, ident },
	{ "SOURCE", 1, source },
};

void
xforward_note_offer(struct session *session, const char *words, size_t length)
{
	char *copy = mem_strndup(words, length), *cursor = copy, *word;

	while ((word = word_next(&cursor, " ")) != NULL)
		for (size_t i = 0; i < COUNT_OF(attributes); i++)
			if (strcasecmp(word, attributes[i].name) == 0)
				session->xforward |= 1u << i;
	free(copy);
}

static void
append(struct text *line, const struct attribute *attribute,
    const struct envelope *envelope)
{
	char room[24];
	const char *text = attribute->get(envelope, room);

	text_printf(line, "%s %s=", line->length == 0 ? "XFORWARD" : "",
	    attribute->name);
	if (*text == '\0')
		text = "[UNAVAILABLE]";
	else if (attribute->get == client_address && strchr(text, ':') != NULL)
		text_puts(line, "IPV6:");
	smtp_xtext_encode(line, text);
}

/* Command number of the two for this message; false if he wants nothing of it. */
static bool
say(struct session *session, int number)
{
	struct text line = TEXT_EMPTY;

	for (size_t i = 0; i < COUNT_OF(attributes); i++)
		if (attributes[i].command == number &&
		    (session->xforward & 1u << i))
			append(&line, &attributes[i],
			    session->job->request->envelope);

	bool wanted = line.length > 0;

	if (wanted)
		session_say(session, "%s", text_string(&line));
	text_clear(&line);
	return wanted;
}

void
xforward_begin(struct session *session)
{
	session->xforward_next = session->xforward_awaited = 0;
	if (!config.smtp_send_xforward_command || session->xforward == 0)
		session->xforward_next = COMMANDS;
}

bool
xforward_say_next(struct session *session)
{
	while (session->xforward_next < COMMANDS) {
		if (say(session, session->xforward_next++)) {
			session->xforward_awaited++;
			return true;
		}
	}
	return false;
}
