#include "delivery/transcript.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "delivery/fold.h"
#include "message/date.h"
#include "message/envelope.h"

#define TRANSCRIPT_MAX	16384
#define LINE_SHOWN	512

enum { OUT = 'O', IN = 'I' };

/* Kept as it was said, behind a letter for who said it: nearly no session is ever told of. */
static void
add(struct transcript *transcript, char who, const char *text, size_t length)
{
	while (length > 0) {
		const char *lf = memchr(text, '\n', length);
		size_t line = lf != NULL ? (size_t)(lf - text) : length;
		size_t shown = line;

		if (shown > 0 && text[shown - 1] == '\r')
			shown--;
		if (shown > LINE_SHOWN)
			shown = LINE_SHOWN;
		if (transcript->lines.length + shown > TRANSCRIPT_MAX) {
			transcript->left_out++;
		} else {
			char *room = text_reserve(&transcript->lines, shown + 2);

			*room++ = who;
			memcpy(room, text, shown);
			room[shown] = '\n';
			transcript->lines.length += shown + 2;
		}
		line += lf != NULL;
		text += line;
		length -= line;
	}
}

void
transcript_said(struct transcript *transcript, const char *text, size_t length)
{
	add(transcript, OUT, text, length);
}

void
transcript_heard(struct transcript *transcript, const char *text, size_t length)
{
	add(transcript, IN, text, length);
}

void
transcript_forget_messages(struct transcript *transcript)
{
	if (transcript->greeting == 0)
		transcript->greeting = transcript->lines.length;
	text_truncate(&transcript->lines, transcript->greeting);
	transcript->left_out = 0;
}

void
transcript_clear(struct transcript *transcript)
{
	text_clear(&transcript->lines);
	transcript->left_out = 0;
}

static void
put_lines(const struct text *lines, struct text *out)
{
	const char *line = text_string(lines), *end = line + lines->length;

	for (const char *lf; line < end; line = lf + 1) {
		size_t start = out->length;
		char *said;

		lf = memchr(line, '\n', (size_t)(end - line));
		said = mem_strndup(line + 1, (size_t)(lf - line - 1));
		text_puts(out, *line == OUT ? " Out: " : " In:  ");
		fold(out, text_printable(said), start, 5);
		text_putc(out, '\n');
		free(said);
	}
}

static void
put_message(const struct transcript *transcript, const char *who,
    const char *peer, const char *aborted, struct text *out)
{
	char date[MESSAGE_DATE_SIZE];

	message_date(date, clock_wall_us() / 1000000);
	text_printf(out, "Date: %s\n"
	    "From: Mail Delivery System <MAILER-DAEMON@%s>\n"
	    "To: Postmaster <%s>\n"
	    "Subject: %s %s: errors from %s\n"
	    "Auto-Submitted: auto-generated\n\n"
	    "Transcript of session follows.\n\n", date, config.myhostname,
	    config.error_notice_recipient, config.mail_name, who, peer);
	put_lines(&transcript->lines, out);
	if (transcript->left_out > 0)
		text_printf(out, " (%zu lines more)\n", transcript->left_out);
	if (aborted != NULL)
		text_printf(out, "\nSession aborted, reason: %s\n", aborted);
	text_puts(out, "\nFor other details, see the local mail logfile\n");
}

void
transcript_encode(const struct transcript *transcript, const char *who,
    const char *peer, const char *aborted, struct ipc_packet *packet)
{
	struct pool *pool = pool_new(0);
	struct envelope *envelope = envelope_new(pool);
	struct text content = TEXT_EMPTY, records = TEXT_EMPTY;

	if (envelope == NULL)
		fatal("out of memory: cannot write to the postmaster");
	put_message(transcript, who, peer, aborted, &content);
	envelope->sender = pool_printf(pool, "%s@%s",
	    config.double_bounce_sender, config.myhostname);
	envelope->flags = ENVELOPE_BOUNCE | ENVELOPE_LOCAL_ORIGIN;
	envelope_add_recipient(envelope, config.error_notice_recipient);
	envelope_encode(envelope, &records);
	ipc_encode_submit(packet, 0, &(struct ipc_submit){ .file = -1,
	    .envelope = { records.bytes, records.length },
	    .content = { content.bytes, content.length } });
	text_clear(&records);
	text_clear(&content);
	pool_free(&pool);
}
