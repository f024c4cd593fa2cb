/*
 * trouble - sessions that the postmaster wants to hear of (notify_classes)
 *
 * What is said is kept while the session lasts, when a class that a session
 * can belong to is asked for. A reply tells by its codes whose trouble it is.
 */


#include "smtpd/dialogue.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "delivery/classes.h"
#include "delivery/transcript.h"
#include "ipc/channel.h"
#include "smtpd/smtpd.h"

enum { OF_SESSIONS = NOTIFY_DATA | NOTIFY_POLICY | NOTIFY_PROTOCOL |
    NOTIFY_RESOURCE | NOTIFY_SOFTWARE };

/* The first row that fits. Codes are shell patterns; detail is what stands behind the first dot of the status. */
static const struct {
	const char	*code, *detail;
	unsigned int	 class;
} rows[] = {
	{ "421", "[34].2",	0 },			/* we leave, or he is slow */
	{ "221", "7.0",		NOTIFY_PROTOCOL },	/* a web browser */
	{ "221", "*",		0 },
	{ "50[0-3]", "*",	NOTIFY_PROTOCOL },
	{ "521", "*",		NOTIFY_PROTOCOL },
	{ "555", "*",		NOTIFY_PROTOCOL },
	{ "*", "3.1",		NOTIFY_RESOURCE },	/* no room */
	{ "*", "3.4",		NOTIFY_POLICY },	/* too large */
	{ "*", "3.*",		NOTIFY_SOFTWARE },	/* a table, a setting, a brother daemon */
	{ "*", "6.*",		NOTIFY_DATA },
	{ "504", "5.*",		NOTIFY_POLICY },	/* the name in HELO */
	{ "*", "5.*",		NOTIFY_PROTOCOL },
	{ "[45]??", "*",	NOTIFY_POLICY },
};

/* A table that cannot be asked who is here: Postfix counts it as data, which nobody hears of by default. */
static const char failed_lookup[] = ": Temporary lookup failure";

static unsigned int
class_of(const char *reply, size_t length)
{
	char code[4] = "", detail[16] = "";
	const char *dot = memchr(reply, '.', length < 6 ? length : 6);

	if (length < 3 || (*reply < '4' && memcmp(reply, "221", 3) != 0))
		return 0;
	if (memmem(reply, length, failed_lookup,
	    sizeof(failed_lookup) - 1) != NULL)
		return NOTIFY_DATA;
	memcpy(code, reply, 3);
	if (dot != NULL && length > 4) {
		size_t left = length - (size_t)(dot + 1 - reply);
		size_t width = left < sizeof(detail) ? left : sizeof(detail) - 1;

		memcpy(detail, dot + 1, width);
		detail[strcspn(detail, " \r\n")] = '\0';
	}
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (fnmatch(rows[i].code, code, 0) == 0 &&
		    fnmatch(rows[i].detail, detail, 0) == 0)
			return rows[i].class;
	}
	return 0;
}

static struct transcript *
transcript_of(struct session *s)
{
	if (smtpd_is_alone || !(notify_classes() & OF_SESSIONS))
		return NULL;
	if (s->transcript == NULL)
		s->transcript = mem_zalloc(1, sizeof(*s->transcript));
	return s->transcript;
}

void
trouble_said(struct session *s, const char *reply, size_t length)
{
	struct transcript *transcript = transcript_of(s);

	if (transcript == NULL)
		return;
	transcript_said(transcript, reply, length);
	s->trouble |= class_of(reply, length);
}

/* How much of a line anybody may see: "AUTH PLAIN" without the password. */
static size_t
shown(const char *line, size_t length)
{
	size_t at = strlen("AUTH ");

	if (length < at || strncasecmp(line, "AUTH ", at) != 0)
		return length;
	while (at < length && line[at] != ' ')
		at++;
	return at;
}

void
trouble_heard(struct session *s, const char *line, size_t length)
{
	struct transcript *transcript = transcript_of(s);

	if (transcript == NULL)
		return;
	if (s->transaction == NULL && !(s->trouble & notify_classes()) &&
	    length >= 4 && strncasecmp(line, "MAIL", 4) == 0)
		transcript_forget_messages(transcript);
	transcript_heard(transcript, line, shown(line, length));
}

void
trouble_end(struct session *s)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	if (s->transcript == NULL)
		return;
	if (s->trouble & notify_classes()) {
		transcript_encode(s->transcript, "SMTP server", s->peer,
		    s->aborted, &packet);
		ipc_client_call(smtpd_cleanup, &packet, NULL, NULL);
	}
	transcript_clear(s->transcript);
	free(s->transcript);
	s->transcript = NULL;
}
