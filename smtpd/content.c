/*
 * DATA and BDAT: the message itself.
 *
 * Up to IPC_INLINE_MAX bytes are kept in memory, less of each while all
 * messages together are large; whatever is beyond goes to an unlinked file
 * that cleanup lends. A message that cannot be accepted is
 * read to its end all the same: t->failure is then the reply.
 */


#include "smtpd/transaction.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "config/config.h"
#include "ipc/channel.h"
#include "smtpd/checks.h"
#include "smtpd/client.h"
#include "smtpd/dialogue.h"
#include "smtpd/smtpd.h"

/* Pieces of input that are looked at in one go. */
#define PIECE	16384

/*
 * When so much is in memory, a message that has more than a piece goes to
 * its file. Files may have a quarter of the descriptors, sessions need the
 * rest; without one there is memory up to four times as much.
 */
#define HELD_MOST	(128 << 20)

static size_t held;		/* bytes of all messages in memory */
static size_t files, files_most = 16;

static const char too_big[] = "552 5.3.4 Error: message file too big";
static const char no_file[] = "451 4.3.0 Error: queue file write error";
static const char discarded[] =
    "551 5.0.0 Discarded %lld bytes after earlier error";
static const char null_chunk[] = "551 5.7.1 Null BDAT request";
static const char no_space[] = "452 4.3.1 Insufficient system storage";

void (*content_witness)(struct session *);

static void
count(struct transaction *t)
{
	held += t->content.length - t->held;
	t->held = t->content.length;
}

static void
clear(struct transaction *t)
{
	text_clear(&t->content);
	count(t);
}

void
content_end(struct transaction *t)
{
	clear(t);
	text_clear(&t->prepend);
	fd_close(&t->file);
	files -= t->wants_file;
	t->wants_file = false;
}

void
content_open(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		files_most = limit.rlim_cur / 4;
}

static void
fail(struct transaction *t, const char *reply)
{
	if (t->failure == NULL)
		t->failure = reply;
	clear(t);
}

/* What is in memory goes to the file. */
static void
spill(struct transaction *t)
{
	if (fd_write_all(t->file, t->content.bytes, t->content.length) == 0) {
		t->file_size += t->content.length;
		clear(t);
		return;
	}
	log_warning("cannot write a message to its file: %m");
	fail(t, errno == ENOSPC || errno == EDQUOT ? no_space : no_file);
}

static void	end_of_input(struct session *s);

static void
on_file_lent(struct ipc_packet *packet, void *argument)
{
	struct session *s = argument;
	struct transaction *t = s->transaction;
	struct ipc_content_file_lent lent;

	t->call = 0;
	if (packet == NULL || ipc_decode_content_file_lent(packet, &lent) == -1)
		fail(t, no_file);
	else if (lent.error != 0 || lent.file == -1)
		fail(t, lent.error == ENOSPC ? no_space : no_file);
	else {
		t->file = ipc_packet_take_fd(packet);
		spill(t);
	}
	s->busy = false;
	end_of_input(s);
	if (!s->busy)
		session_go_on(s);
}

static void
ask_for_file(struct session *s)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct ipc_content_file question = { 0 };

	ipc_encode_content_file(&packet, 0, &question);
	files++;
	s->transaction->wants_file = true;
	s->busy = true;
	s->transaction->call = ipc_client_call(smtpd_cleanup, &packet,
	    on_file_lent, s);
}

/* After each piece: within the limits, and in the right place? */
static void
weigh(struct session *s)
{
	struct transaction *t = s->transaction;
	bool is_large;

	if (config.message_size_limit > 0 &&
	    t->wire_bytes > config.message_size_limit)
		fail(t, too_big);
	count(t);
	is_large = t->content.length > IPC_INLINE_MAX ||
	    (t->content.length > PIECE && held > HELD_MOST);
	if (t->failure != NULL)
		clear(t);
	else if (t->file != -1)
		spill(t);
	else if (!is_large || smtpd_is_alone)
		return;
	else if (files < files_most)
		ask_for_file(s);
	else if (t->content.length > IPC_INLINE_MAX || held / 4 > HELD_MOST)
		fail(t, no_space);
}

/* smtpd_forbid_bare_newline = reject. True if the session ends for it. */
static bool
refuse_bare_newline(struct session *s)
{
	if (!(s->transaction->reader.seen & DOT_BARE_LF))
		return false;
	if (!s->refuses_bare_newline) {
		client_note_bare_newline(s);
		return false;
	}
	session_reply(s, "%d 5.5.2 %s Error: bare <LF> received",
	    config.smtpd_forbid_bare_newline_reject_code, config.myhostname);
	report_lost(s, "bare <LF> received");
	session_finish(s);
	return true;
}

static void
answer_end_of_data(struct session *s, enum verdict verdict)
{
	if (verdict == VERDICT_PERMIT)
		submit(s);
	else
		transaction_end(s);
}

static void
finish_message(struct session *s)
{
	struct transaction *t = s->transaction;

	session_enter(s, IN_RCPT, "end of message");
	s->where = "END-OF-MESSAGE";
	if (t->file != -1 && t->failure == NULL)
		spill(t);
	if (t->failure == NULL) {
		checks_run(s, 1 << STAGE_END_OF_DATA, answer_end_of_data);
		return;
	}
	report_action(s, "reject", t->failure);
	session_reply(s, "%s", t->failure);
	transaction_end(s);
}

static void
finish_chunk(struct session *s)
{
	struct transaction *t = s->transaction;

	if (t->chunk_is_last) {
		if (t->failure == NULL)
			dot_read_finish(&t->reader, &t->content);
		finish_message(s);
		return;
	}
	session_enter(s, BETWEEN_CHUNKS, "BDAT");
	session_reply(s, "250 2.0.0 Ok: %lld bytes",
	    (long long)t->chunk_size);
}

/* Has the message, or the chunk, come to its end? Not while a file is awaited. */
static void
end_of_input(struct session *s)
{
	struct transaction *t = s->transaction;

	if (t->call != 0)
		return;
	if (s->state == IN_DATA && t->reader.ended)
		finish_message(s);
	else if (s->state == IN_CHUNK && t->chunk_left == 0)
		finish_chunk(s);
}

size_t
content_read(struct session *s, const char *bytes, size_t length)
{
	struct transaction *t = s->transaction;
	size_t size = length < PIECE ? length : PIECE;

	if (s->state == IN_CHUNK && t->chunk_left < (int64_t)size)
		size = t->chunk_left;
	size = dot_read(&t->reader, bytes, size, &t->content);
	t->wire_bytes += size;
	if (s->state == IN_CHUNK)
		t->chunk_left -= size;
	if (refuse_bare_newline(s))
		return size;
	weigh(s);
	end_of_input(s);
	return size;
}

/* What access tables put in front of the message. */
static void
put_prepended(struct transaction *t)
{
	text_append(&t->content, text_string(&t->prepend), t->prepend.length);
	text_clear(&t->prepend);
}

static void
answer_data(struct session *s, enum verdict verdict)
{
	if (verdict != VERDICT_PERMIT)
		return;
	if (content_witness != NULL)
		content_witness(s);
	dot_read_start(&s->transaction->reader, false);
	put_prepended(s->transaction);
	session_enter(s, IN_DATA, "DATA");
	session_say(s, "354 End data with <CR><LF>.<CR><LF>");
}

void
content_data(struct session *s, const struct smtp_command *command)
{
	if (s->transaction->envelope->recipient_count == 0)
		session_reply(s, "554 5.5.1 Error: no valid recipients");
	else if (command->argument_length > 0)
		session_reply(s, "501 5.5.4 Syntax: DATA");
	else
		checks_run(s, 1 << STAGE_DATA, answer_data);
}

/* "count [LAST]". False if it is not that. */
static bool
read_chunk_size(const struct smtp_command *command, int64_t *size, bool *last)
{
	char words[64], *cursor = words;
	const char *error;

	if (command->argument_length >= sizeof(words))
		return false;
	memcpy(words, command->argument, command->argument_length);
	words[command->argument_length] = '\0';

	char *count = word_next(&cursor, " \t");
	char *word = word_next(&cursor, " \t");

	if (count == NULL || strspn(count, "0123456789") != strlen(count) ||
	    (word != NULL && !text_equal_nocase(word, "LAST")) ||
	    word_next(&cursor, " \t") != NULL)
		return false;
	*last = word != NULL;
	*size = strtonum(count, 0, INT64_MAX, &error);
	return error == NULL;
}

/* Why this chunk is not wanted; NULL if it is. */
static const char *
refuse_chunk(struct session *s, int64_t size, bool last)
{
	struct transaction *t = s->transaction;

	if (size == 0 && !last)		/* one could send them for ever */
		return null_chunk;
	if (t == NULL || s->state == CONNECTED || s->state == GREETED)
		return "503 5.5.1 Error: need RCPT command";
	if (t->envelope->recipient_count == 0)
		return "554 5.5.1 Error: no valid recipients";
	if (t->failure != NULL)
		return discarded;
	if (config.message_size_limit > 0 &&
	    size > config.message_size_limit - t->wire_bytes)
		return "552 5.3.4 Chunk exceeds message size limit";
	return NULL;
}

static void
read_past_chunk(struct session *s, const char *why, int64_t size, bool last)
{
	s->octets_to_skip = size;
	if (why == discarded)
		session_reply(s, discarded, (long long)size);
	else
		session_reply(s, "%s", why);
	if (s->transaction != NULL &&
	    s->transaction->envelope->recipient_count > 0) {
		fail(s->transaction, too_big);
		session_enter(s, BETWEEN_CHUNKS, "chunk refused");
		if (last)
			transaction_end(s);
	}
}

static void
answer_bdat(struct session *s, enum verdict verdict)
{
	struct transaction *t = s->transaction;

	if (verdict != VERDICT_PERMIT) {
		s->octets_to_skip = t->chunk_size;
		transaction_end(s);
		return;
	}
	if (!t->is_bdat) {
		dot_read_start(&t->reader, true);
		put_prepended(t);
	}
	t->is_bdat = true;
	session_enter(s, IN_CHUNK, "BDAT");
	end_of_input(s);
}

static void
tell_of_chunk(const struct session *s, const char *what,
    const struct smtp_command *command)
{
	char *shown = command == NULL ? NULL : mem_printf(": BDAT%s%.*s",
	    command->argument_length > 0 ? " " : "",
	    (int)command->argument_length, command->argument);

	log_warning("NOQUEUE: %s from %s%s", what, s->peer,
	    shown == NULL ? "" : text_printable(shown));
	free(shown);
}

void
content_bdat(struct session *s, const struct smtp_command *command)
{
	int64_t size;
	bool last;

	if (!read_chunk_size(command, &size, &last)) {
		/* How many octets follow is anybody's guess. */
		tell_of_chunk(s, "malformed BDAT command syntax", command);
		session_reply(s, "521 5.5.4 Syntax: BDAT count [LAST]");
		session_finish(s);
		return;
	}

	const char *why = refuse_chunk(s, size, last);

	if (why == null_chunk)
		tell_of_chunk(s, "null BDAT request", NULL);
	if (why != NULL) {
		read_past_chunk(s, why, size, last);
		return;
	}
	s->transaction->chunk_left = s->transaction->chunk_size = size;
	s->transaction->chunk_is_last = last;
	checks_run(s, s->transaction->is_bdat ? 0 : 1 << STAGE_DATA,
	    answer_bdat);
}
