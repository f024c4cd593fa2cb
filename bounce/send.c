/*
 * send - notices go the way of all mail
 *
 * All letters of a batch are handed over before the first answer is waited
 * for: a storm of failures costs a flush a batch, not a flush a notice.
 */

#include "bounce/bounce.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "config/config.h"
#include "message/verp.h"

/* cleanup answers within this time, unless it waits for a table. */
#define PATIENCE_MS	100

/* What was asked, by the place of its request. */
struct question {
	struct service_request *request;
	struct notice	 notice;
	bool		 is_readable, has_failed;
	uint64_t	 aside;		/* its request was put aside; 0: it was not */
	size_t		 parts;		/* the notices that it became */
};

/* A notice on its way. */
struct sending {
	struct question	*question;
	struct notice	 notice;
	bool		 is_readable;
	size_t		 submissions;
	size_t		 letter_count;
	struct letter	 letters[LETTERS_MAX];
	struct text	 content[LETTERS_MAX];
};

/* One letter for each kind of notice and addressee: a second one is known as the first by this. */
static const char *
key_of(const struct letter *letter)
{
	static const char to_sender[] = "?fdstv", to_postmaster[] = "?FDSTV";
	const struct notice *notice = letter->notice;

	if (notice->is_part)
		return pool_printf(notice->pool, "%s-%c%lld",
		    notice->envelope->unique, (letter->to_postmaster ?
		    to_postmaster : to_sender)[notice->kind],
		    (long long)notice->results[0].number);
	return pool_printf(notice->pool, "%s-%c", notice->envelope->unique,
	    (letter->to_postmaster ? to_postmaster : to_sender)[notice->kind]);
}

static struct envelope *
make_envelope(const struct letter *letter)
{
	const struct notice *notice = letter->notice;
	struct envelope *envelope = envelope_new(notice->pool);

	if (envelope == NULL ||
	    envelope_add_recipient(envelope, letter->to) == NULL)
		return NULL;
	envelope->flags = ENVELOPE_BOUNCE | ENVELOPE_LOCAL_ORIGIN |
	    (notice->envelope->flags & (ENVELOPE_8BIT | ENVELOPE_SMTPUTF8));
	if (letter->to_postmaster)
		envelope->sender = pool_printf(notice->pool, "%s@%s",
		    config.double_bounce_sender, config.myhostname);
	envelope->unique = key_of(letter);
	return envelope->unique != NULL && envelope->sender != NULL ?
	    envelope : NULL;
}

static void
log_sent(const struct letter *letter, const char *id)
{
	static const char *const names[] = {
		[NOTICE_FAILURE] = "non-delivery",
		[NOTICE_DELAY] = "delay",
		[NOTICE_SUCCESS] = "delivery status",
		[NOTICE_TRACE] = "delivery status",
		[NOTICE_VERIFY] = "delivery status",
	};

	log_info("%s: %s %s notification: %s",
	    letter->notice->envelope->queue_id,
	    letter->to_postmaster ? "postmaster" : "sender",
	    names[letter->notice->kind], id);
}

/* Its letters are written; gives how many submissions they made. */
static size_t
prepare(struct sending *sending, struct delivery_submission *submissions)
{
	size_t count = 0;

	sending->letter_count = notice_letters(&sending->notice,
	    sending->letters);
	for (size_t i = 0; i < sending->letter_count; i++) {
		struct envelope *envelope = make_envelope(&sending->letters[i]);

		if (envelope == NULL)
			continue;	/* out of memory: not sent */
		compose(&sending->letters[i], &sending->content[i]);
		submissions[count++] = (struct delivery_submission){
			.envelope = envelope, .content = &sending->content[i],
			.again = sending->notice.again,
			.reply = IPC_PACKET_EMPTY,
		};
	}
	return count;
}

/* Log what was taken. False: the first letter was not, and must be tried again; a copy is not worth a second notice. */
static bool
settle(const struct sending *sending, struct delivery_submission *submissions,
    size_t count)
{
	const char *id = sending->notice.envelope->queue_id;
	bool sent[LETTERS_MAX] = { false };

	for (size_t i = 0; i < count; i++) {
		size_t letter = (size_t)(submissions[i].content -
		    sending->content);

		if (!submissions[i].is_answered) {
			log_warning("%s: cannot hand its notice to cleanup: it "
			    "does not answer", id);
		} else if (submissions[i].result.status != 250) {
			log_warning("%s: cleanup refuses its notice: %s", id,
			    submissions[i].result.reason);
		} else {
			sent[letter] = true;
			log_sent(&sending->letters[letter],
			    submissions[i].result.queue_id);
		}
	}
	return sending->letter_count == 0 || sent[0];
}

/* How many notices a question is: one, or with VERP one for each failure. */
static size_t
count_parts(const struct notice *notice, bool is_readable)
{
	return is_readable && notice->kind == NOTICE_FAILURE &&
	    *notice->envelope->verp != '\0' &&
	    *notice->envelope->sender != '\0' &&
	    !config.disable_verp_bounces ? notice->count : 1;
}

/* The notice about one result, to the sender that its recipient had. False without memory. */
static bool
make_part(struct notice *part, const struct notice *whole, size_t place)
{
	struct delivery_result *result = &whole->results[place];
	const struct recipient *recipient =
	    &whole->envelope->recipients[result->number];
	struct envelope *envelope = pool_alloc(whole->pool, sizeof(*envelope));
	struct text sender = TEXT_EMPTY;

	*part = *whole;
	if (envelope == NULL)
		return false;
	*envelope = *whole->envelope;
	verp_sender(&sender, envelope->verp, envelope->sender,
	    *recipient->original != '\0' ? recipient->original :
	    recipient->address);
	envelope->sender = pool_strdup(whole->pool, text_string(&sender));
	text_clear(&sender);
	part->envelope = envelope;
	part->results = result;
	part->count = 1;
	part->is_part = true;
	return envelope->sender != NULL;
}

/* What was asked, as notices: what each request became has its place. */
static size_t
divide(struct question *questions, size_t count, struct sending **sendings)
{
	size_t total = 0, at = 0;

	for (size_t i = 0; i < count; i++)
		total += questions[i].parts;
	*sendings = mem_zalloc(total, sizeof(**sendings));
	for (size_t i = 0; i < count; i++) {
		const struct notice *whole = &questions[i].notice;

		for (size_t part = 0; part < questions[i].parts; part++, at++) {
			struct sending *sending = &(*sendings)[at];

			sending->question = &questions[i];
			sending->notice = *whole;
			sending->is_readable = questions[i].is_readable &&
			    (questions[i].parts == 1 ||
			    make_part(&sending->notice, whole, part));
		}
	}
	return total;
}

static void
answer(struct service_request *request, const struct question *question)
{
	if (!question->is_readable)
		service_reply_done(request, EINVAL, "bad request");
	else if (!question->has_failed)
		service_reply_done(request, 0, "");
	else
		service_reply_done(request, EAGAIN, "the notice is not sent");
}

/* Ask for those that have no answer. True: there is nothing to wait for. */
static bool
ask(struct delivery_submission *submissions, struct later **laters,
    size_t count)
{
	bool all = true;

	for (size_t i = 0; i < count; i++) {
		if (submissions[i].is_answered)
			continue;
		laters[i] = later_submit(&submissions[i]);
		all &= laters[i] == NULL;
	}
	return all;
}

/* Together, so that cleanup makes them durable together, and with a little time. */
static void
ask_all(struct delivery_submission *submissions, struct later **laters,
    size_t count)
{
	int64_t until_ms = clock_ms() + PATIENCE_MS, left;

	while (!ask(submissions, laters, count) &&
	    (left = until_ms - clock_ms()) > 0) {
		struct pollfd ready = { .fd = later_fd(), .events = POLLIN };

		if (poll(&ready, 1, (int)left) > 0)
			later_receive(service_call_back);
	}
}

/* cleanup waits for a table: so does what was asked, and no other. */
static void
wait_for_cleanup(struct question *question, struct later **laters,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (laters[i] == NULL)
			continue;
		if (question->aside == 0)
			question->aside = service_put_aside(question->request);
		later_await(laters[i], question->aside);
	}
}

static void
finish(struct sending *sending, struct delivery_submission *submissions)
{
	if (!sending->is_readable ||
	    !settle(sending, submissions, sending->submissions))
		sending->question->has_failed = true;
	for (size_t i = 0; i < sending->submissions; i++)
		later_done(&submissions[i]);
}

static void
send_all(struct sending *sendings, size_t count)
{
	struct delivery_submission *submissions = mem_zalloc(
	    count * LETTERS_MAX, sizeof(*submissions));
	struct later **laters = mem_zalloc(count * LETTERS_MAX,
	    sizeof(struct later *));
	size_t total = 0, at = 0;

	for (size_t i = 0; i < count; i++) {
		if (sendings[i].is_readable)
			sendings[i].submissions = prepare(&sendings[i],
			    submissions + total);
		total += sendings[i].submissions;
	}
	ask_all(submissions, laters, total);
	for (size_t i = 0; i < count; i++) {
		wait_for_cleanup(sendings[i].question, laters + at,
		    sendings[i].submissions);
		at += sendings[i].submissions;
	}
	at = 0;
	for (size_t i = 0; i < count; i++) {
		if (sendings[i].question->aside == 0)
			finish(&sendings[i], submissions + at);
		at += sendings[i].submissions;
		for (size_t n = 0; n < LETTERS_MAX; n++)
			text_clear(&sendings[i].content[n]);
	}
	for (size_t i = 0; i < total; i++)
		ipc_packet_clear(&submissions[i].reply);
	free(laters);
	free(submissions);
}

void
send_notices(struct service_request *requests, size_t count)
{
	struct question *questions = mem_zalloc(count, sizeof(*questions));
	struct sending *sendings;
	size_t total;

	for (size_t i = 0; i < count; i++) {
		struct question *question = &questions[i];

		question->request = &requests[i];
		question->is_readable = notice_receive(&question->notice,
		    &requests[i].packet) == 0;
		question->parts = count_parts(&question->notice,
		    question->is_readable);
	}
	total = divide(questions, count, &sendings);
	send_all(sendings, total);
	for (size_t i = 0; i < count; i++) {
		if (questions[i].aside == 0)
			answer(&requests[i], &questions[i]);
		notice_clear(&questions[i].notice);
	}
	free(sendings);
	free(questions);
}
