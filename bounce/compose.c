/*
 * compose - a notice in three parts: for people, for programs, and the message
 *
 * Names, order and line ends of the fields are Postfix's, which programs that
 * read notices know; mail_name stands where Postfix has its name.
 */

#include "bounce/bounce.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "address/address.h"
#include "config/config.h"
#include "delivery/fold.h"
#include "message/date.h"
#include "message/header.h"

static struct templates templates;

static const enum template_kind template_of[] = {
	[NOTICE_FAILURE] = TEMPLATE_FAILURE,
	[NOTICE_DELAY] = TEMPLATE_DELAY,
	[NOTICE_SUCCESS] = TEMPLATE_SUCCESS,
	[NOTICE_TRACE] = TEMPLATE_VERIFY,
	[NOTICE_VERIFY] = TEMPLATE_VERIFY,
};

void
compose_start(void)
{
	templates_load(&templates, pool_new(0), NULL);
}

static bool
is_report(const struct letter *letter)
{
	return letter->notice->kind >= NOTICE_SUCCESS;
}

static bool
is_utf8_message(const struct letter *letter)
{
	return letter->notice->envelope->flags & ENVELOPE_SMTPUTF8;
}

static const char *
charset_of(const struct template *template)
{
	return config.smtputf8_enable &&
	    strcasecmp(template->charset, "us-ascii") == 0 ?
	    "utf-8" : template->charset;
}

/* May there be more than ASCII in it? */
static bool
is_8bit(const struct letter *letter)
{
	const struct template *template =
	    &templates.of[template_of[letter->notice->kind]];

	return strcasecmp(charset_of(template), "us-ascii") != 0 ||
	    (letter->notice->envelope->flags & ENVELOPE_8BIT);
}

static void
put_encoding(const struct letter *letter, struct text *out)
{
	if (is_8bit(letter))
		text_puts(out, "Content-Transfer-Encoding: 8bit\n");
}

/* The sender, or the name that stands for nobody. */
static void
put_sender(const struct letter *letter, struct text *out)
{
	const char *sender = letter->notice->envelope->sender;

	if (*sender != '\0')
		address_quote(out, sender);
	else
		text_printf(out, "%s@%s", config.empty_address_recipient,
		    config.myhostname);
}

/* "rfc822; ada@example.org"; "utf-8; ..." where only that can say it (RFC 6533 section 3). */
static void
put_type(const struct letter *letter, const char *address, struct text *out)
{
	text_puts(out, is_utf8_message(letter) &&
	    !text_is_ascii(address, strlen(address)) ? "utf-8" : "rfc822");
}

/* What a stranger wrote, without control characters, as nobody may begin a line here but us. */
static void
put_printable(struct text *out, const char *text)
{
	size_t start = out->length;

	text_puts(out, text);
	if (out->length > start)
		text_printable(out->bytes + start);
}

static void
put_header(const struct letter *letter, const char *boundary, struct text *out)
{
	const struct template *template =
	    &templates.of[template_of[letter->notice->kind]];
	char date[MESSAGE_DATE_SIZE];

	message_date(date, clock_wall_us() / 1000000);
	text_printf(out, "Date: %s\nFrom: %s\nSubject: %s\nTo: ", date,
	    template->from, letter->to_postmaster ?
	    template->postmaster_subject : template->subject);
	address_quote(out, letter->to);
	text_printf(out, "\nAuto-Submitted: %s\nMIME-Version: 1.0\n",
	    letter->to_postmaster ? "auto-generated" : "auto-replied");
	text_printf(out, "Content-Type: multipart/report; "
	    "report-type=delivery-status;\n\tboundary=\"%s\"\n", boundary);
	put_encoding(letter, out);
	if (config.enable_threaded_bounces &&
	    *letter->notice->envelope->message_id != '\0') {
		const char *id = letter->notice->envelope->message_id;

		text_printf(out, "References: %s\nIn-Reply-To: %s\n", id, id);
	}
	text_puts(out, "\nThis is a MIME-encapsulated message.\n\n");
}

/* The text of a result: of a success, by whom it was served. */
static void
put_reason(const struct letter *letter, const struct delivery_result *result,
    size_t start, struct text *out)
{
	struct text reason = TEXT_EMPTY;

	if (is_report(letter) && *result->relay != '\0' &&
	    strcmp(result->relay, "none") != 0)
		text_printf(&reason, "delivery via %s: ", result->relay);
	put_printable(&reason, is_report(letter) &&
	    result->action == ACTION_EXPANDED ? "alias expanded" : result->text);
	fold(out, text_string(&reason), start, 4);
	text_putc(out, '\n');
	text_clear(&reason);
}

static void
put_explanation(const struct letter *letter, const char *boundary,
    struct text *out)
{
	const struct envelope *envelope = letter->notice->envelope;
	const struct template *template =
	    &templates.of[template_of[letter->notice->kind]];

	text_printf(out, "--%s\nContent-Description: Notification\n"
	    "Content-Type: text/plain; charset=%s\n", boundary,
	    charset_of(template));
	put_encoding(letter, out);
	text_putc(out, '\n');
	if (!letter->to_postmaster)
		template_expand(template, out);
	for (size_t i = 0; i < letter->count; i++) {
		const struct recipient *recipient =
		    &envelope->recipients[letter->results[i]->number];
		size_t start = out->length + 1;

		text_puts(out, "\n<");
		address_quote(out, recipient->address);
		text_putc(out, '>');
		if (*recipient->original != '\0' &&
		    strcasecmp(recipient->original, recipient->address) != 0) {
			text_puts(out, " (expanded from <");
			address_quote(out, recipient->original);
			text_puts(out, ">)");
		}
		text_puts(out, ": ");
		put_reason(letter, letter->results[i], start, out);
	}
	text_putc(out, '\n');
}

/* What was done (RFC 3464 section 2.3.3); Postfix's words for what would be done. */
static const char *
action_of(const struct letter *letter, const struct delivery_result *result)
{
	static const char *const sent[] = {
		[ACTION_DELIVERED] = "delivered", [ACTION_RELAYED] = "relayed",
		[ACTION_EXPANDED] = "expanded", [ACTION_PASSED_ON] = "relayed",
	};

	if (letter->notice->kind == NOTICE_VERIFY)
		return result->status == DELIVERY_SENT ? "deliverable" :
		    "undeliverable";
	if (result->status == DELIVERY_SENT)
		return (size_t)result->action < COUNT_OF(sent) ?
		    sent[result->action] : "delivered";
	return letter->notice->kind == NOTICE_FAILURE ||
	    result->status == DELIVERY_BOUNCED ? "failed" : "delayed";
}

/* What the other host said, or a command, or we ourselves. */
static void
put_diagnostic(const struct letter *letter,
    const struct delivery_result *result, struct text *out)
{
	size_t start;

	if (*result->remote_mta != '\0')
		text_printf(out, "Remote-MTA: dns; %s\n", result->remote_mta);
	start = out->length;
	if (*result->diagnostic != '\0') {
		struct text said = TEXT_EMPTY;

		put_printable(&said, result->diagnostic);
		text_printf(out, "Diagnostic-Code: %s; ",
		    *result->remote_mta != '\0' ? "smtp" : "x-unix");
		fold(out, text_string(&said), start, 4);
		text_putc(out, '\n');
		text_clear(&said);
	} else {
		text_printf(out, "Diagnostic-Code: X-%s; ", config.mail_name);
		put_reason(letter, result, start, out);
	}
}

static void
put_original_recipient(const struct letter *letter,
    const struct recipient *recipient, struct text *out)
{
	const char *original = *recipient->original != '\0' ?
	    recipient->original : recipient->address;

	text_puts(out, "Original-Recipient: ");
	if (*recipient->dsn_orcpt != '\0') {
		put_printable(out, recipient->dsn_orcpt);
	} else {
		put_type(letter, original, out);
		text_putc(out, ';');
		address_quote(out, original);
	}
	text_putc(out, '\n');
}

static void
put_recipient_status(const struct letter *letter,
    const struct delivery_result *result, struct text *out)
{
	const struct envelope *envelope = letter->notice->envelope;
	const struct recipient *recipient =
	    &envelope->recipients[result->number];
	char date[MESSAGE_DATE_SIZE];

	text_puts(out, "\nFinal-Recipient: ");
	put_type(letter, recipient->address, out);
	text_puts(out, "; ");
	address_quote(out, recipient->address);
	text_putc(out, '\n');
	put_original_recipient(letter, recipient, out);
	text_printf(out, "Action: %s\nStatus: %s\n", action_of(letter, result),
	    result->dsn);
	put_diagnostic(letter, result, out);
	if (letter->notice->kind != NOTICE_DELAY)
		return;
	message_date(date, envelope->arrival_us / 1000000 +
	    config.maximal_queue_lifetime);
	text_printf(out, "Will-Retry-Until: %s\n", date);
}

static void
put_status(const struct letter *letter, const char *boundary, struct text *out)
{
	const struct envelope *envelope = letter->notice->envelope;
	char date[MESSAGE_DATE_SIZE];

	text_printf(out, "--%s\nContent-Description: Delivery report\n"
	    "Content-Type: message/%sdelivery-status\n", boundary,
	    is_utf8_message(letter) ? "global-" : "");
	if (is_utf8_message(letter))
		put_encoding(letter, out);
	text_printf(out, "\nReporting-MTA: dns; %s\n", config.myhostname);
	if (*envelope->dsn_envid != '\0') {
		text_puts(out, "Original-Envelope-Id: ");
		put_printable(out, envelope->dsn_envid);
		text_putc(out, '\n');
	}
	text_printf(out, "X-%s-Queue-ID: %s\nX-%s-Sender: ", config.mail_name,
	    envelope->queue_id, config.mail_name);
	put_type(letter, envelope->sender, out);
	text_puts(out, "; ");
	put_sender(letter, out);
	message_date(date, envelope->arrival_us / 1000000);
	text_printf(out, "\nArrival-Date: %s\n", date);
	for (size_t i = 0; i < letter->count; i++)
		put_recipient_status(letter, letter->results[i], out);
	text_putc(out, '\n');
}

/* The message, or its header: what is too large does not come back whole (RFC 3461 section 6.2). */
static void
put_message(const struct letter *letter, const char *boundary,
    struct text *out)
{
	static const char *const types[2][2] = {
		{ "text/rfc822-headers", "message/rfc822" },
		{ "message/global-headers", "message/global" },
	};
	const struct notice *notice = letter->notice;
	bool whole = letter->returns_whole &&
	    notice->content_length <= (size_t)config.bounce_size_limit;
	size_t length = whole ? notice->content_length :
	    header_body(notice->content, notice->content_length);

	text_printf(out, "--%s\nContent-Description: %s%s\nContent-Type: %s\n",
	    boundary, is_report(letter) ? "Message" : "Undelivered Message",
	    whole ? "" : " Headers", types[is_utf8_message(letter)][whole]);
	put_encoding(letter, out);
	text_puts(out, "\nReturn-Path: <");
	put_sender(letter, out);
	text_puts(out, ">\n");
	/* The empty line behind the header is the one before the boundary. */
	if (!whole && length > 1 && notice->content[length - 1] == '\n' &&
	    notice->content[length - 2] == '\n')
		length--;
	text_append(out, notice->content, length);
	if (length > 0 && notice->content[length - 1] != '\n')
		text_putc(out, '\n');
	text_printf(out, "\n--%s--\n", boundary);
}

void
compose(const struct letter *letter, struct text *out)
{
	char boundary[300];

	snprintf(boundary, sizeof(boundary), "%s.%lld/%s",
	    letter->notice->envelope->queue_id,
	    (long long)(clock_wall_us() / 1000000), config.myhostname);
	put_header(letter, boundary, out);
	put_explanation(letter, boundary, out);
	put_status(letter, boundary, out);
	put_message(letter, boundary, out);
}
