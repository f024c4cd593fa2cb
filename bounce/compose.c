/* compose - a notice in three parts: for people, for programs, and the message itself */

#include "bounce/bounce.h"

#include <stdio.h>
#include <string.h>

#include "address/address.h"
#include "config/config.h"
#include "message/date.h"
#include "message/header.h"

static const struct {
	const char	*subject;
	const char	*action;	/* RFC 3464 section 2.3.3 */
	const char	*introduction;
} kinds[] = {
	[NOTICE_FAILURE] = {
		"Undelivered Mail Returned to Sender", "failed",
		"Your message could not be delivered to the recipients below, and\n"
		"will not be tried again. The reason stands beside each.\n" },
	[NOTICE_DELAY] = {
		"Delayed Mail (still being retried)", "delayed",
		"Your message could not be delivered yet to the recipients below.\n"
		"It is kept and tried again; you need not send it again.\n" },
	[NOTICE_SUCCESS] = {
		"Successful Mail Delivery Report", "delivered",
		"Your message was delivered to the recipients below.\n" },
	[NOTICE_TRACE] = {
		"Mail Delivery Status Report", "delivered",
		"This is the report on your message that you asked for.\n" },
	[NOTICE_VERIFY] = {
		"Mail Delivery Status Report", "deliverable",
		"This is the report on your message that you asked for.\n" },
};

static const struct recipient *
recipient_of(const struct notice *notice, const struct delivery_result *result)
{
	return &notice->envelope->recipients[result->number];
}

static void
put_address(struct text *out, const char *address)
{
	address_quote(out, address);
}

/* Text of a stranger's on lines of its own: folded at blanks, indented. */
static void
put_folded(struct text *out, const char *text, size_t column)
{
	while (*text != '\0') {
		size_t word = strcspn(text, " ");

		if (column + word > 74 && column > 4) {
			text_puts(out, "\n    ");
			column = 4;
		}
		text_append(out, text, word);
		column += word;
		text += word;
		if (*text == ' ') {
			text_putc(out, ' ');
			column++;
			text++;
		}
	}
	text_putc(out, '\n');
}

static void
put_header(const struct notice *notice, const char *boundary, struct text *out)
{
	char date[MESSAGE_DATE_SIZE];

	message_date(date, clock_wall_us() / 1000000);
	text_printf(out, "Date: %s\n", date);
	text_printf(out, "From: MAILER-DAEMON@%s (Mail Delivery System)\n",
	    config.myhostname);
	text_printf(out, "Subject: %s\n", kinds[notice->kind].subject);
	text_puts(out, "To: ");
	put_address(out, notice->envelope->sender);
	text_puts(out, "\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n");
	text_printf(out, "Content-Type: multipart/report; "
	    "report-type=delivery-status;\n\tboundary=\"%s\"\n", boundary);
	if (notice->envelope->flags & ENVELOPE_SMTPUTF8)
		text_puts(out, "Content-Transfer-Encoding: 8bit\n");
	text_puts(out, "\nThis report has several parts, in MIME form.\n\n");
}

static void
put_explanation(const struct notice *notice, const char *boundary,
    struct text *out)
{
	text_printf(out, "--%s\nContent-Description: Notification\n"
	    "Content-Type: text/plain; charset=%s\n\n", boundary,
	    notice->envelope->flags & ENVELOPE_SMTPUTF8 ? "utf-8" : "us-ascii");
	text_printf(out, "From the mail system at %s.\n\n", config.myhostname);
	text_puts(out, kinds[notice->kind].introduction);
	text_puts(out, "For help, write to the postmaster and add this report.\n");
	for (size_t i = 0; i < notice->count; i++) {
		const struct delivery_result *result = &notice->results[i];
		const struct recipient *recipient = recipient_of(notice, result);
		size_t start;

		text_puts(out, "\n");
		start = out->length;
		text_putc(out, '<');
		put_address(out, recipient->address);
		text_putc(out, '>');
		if (*recipient->original != '\0') {
			text_puts(out, " (expanded from <");
			put_address(out, recipient->original);
			text_puts(out, ">)");
		}
		text_puts(out, ": ");
		put_folded(out, result->text, out->length - start);
	}
	text_puts(out, "\n");
}

/* "Diagnostic-Code: smtp; 550 5.1.1 ..." or, from ourselves, "x-postroad; ...". */
static void
put_diagnostic(const struct delivery_result *result, struct text *out)
{
	bool remote = *result->diagnostic != '\0';
	size_t start = out->length;

	if (*result->remote_mta != '\0')
		text_printf(out, "Remote-MTA: dns; %s\n", result->remote_mta);
	start = out->length;
	text_printf(out, "Diagnostic-Code: %s; ", remote ? "smtp" : "x-postroad");
	put_folded(out, remote ? result->diagnostic : result->text,
	    out->length - start);
}

static void
put_status(const struct notice *notice, const char *boundary, struct text *out)
{
	const struct envelope *envelope = notice->envelope;
	char date[MESSAGE_DATE_SIZE];

	message_date(date, envelope->arrival_us / 1000000);
	text_printf(out, "--%s\nContent-Description: Delivery report\n"
	    "Content-Type: message/%sdelivery-status\n\n", boundary,
	    envelope->flags & ENVELOPE_SMTPUTF8 ? "global-" : "");
	if (*envelope->dsn_envid != '\0')
		text_printf(out, "Original-Envelope-Id: %s\n", envelope->dsn_envid);
	text_printf(out, "Reporting-MTA: dns; %s\n", config.myhostname);
	text_printf(out, "X-%s-Queue-ID: %s\n", config.mail_name,
	    envelope->queue_id);
	text_printf(out, "X-%s-Sender: rfc822; ", config.mail_name);
	put_address(out, envelope->sender);
	text_printf(out, "\nArrival-Date: %s\n", date);
	for (size_t i = 0; i < notice->count; i++) {
		const struct delivery_result *result = &notice->results[i];
		const struct recipient *recipient = recipient_of(notice, result);

		text_puts(out, "\nFinal-Recipient: rfc822; ");
		put_address(out, recipient->address);
		text_puts(out, "\nOriginal-Recipient: ");
		if (*recipient->dsn_orcpt != '\0') {
			text_puts(out, recipient->dsn_orcpt);
		} else {
			text_puts(out, "rfc822;");
			put_address(out, *recipient->original != '\0' ?
			    recipient->original : recipient->address);
		}
		text_printf(out, "\nAction: %s\nStatus: %s\n",
		    kinds[notice->kind].action, result->dsn);
		put_diagnostic(result, out);
	}
	text_puts(out, "\n");
}

/* The message: whole if it is small and wanted, else its header (RFC 3461 section 4.3). */
static void
put_message(const struct notice *notice, const char *boundary, struct text *out)
{
	size_t body = header_body(notice->content, notice->content_length);
	bool whole = notice->kind == NOTICE_FAILURE &&
	    notice->envelope->dsn_ret != DSN_RET_HDRS &&
	    notice->content_length <= (size_t)config.bounce_size_limit;
	size_t length = whole ? notice->content_length : body;

	text_printf(out, "--%s\nContent-Description: %s\n"
	    "Content-Type: %s\n", boundary,
	    whole ? "Undelivered Message" : "Undelivered Message Headers",
	    whole ? "message/rfc822" : "text/rfc822-headers");
	if (notice->envelope->flags & (ENVELOPE_8BIT | ENVELOPE_SMTPUTF8))
		text_puts(out, "Content-Transfer-Encoding: 8bit\n");
	text_puts(out, "\nReturn-Path: <");
	put_address(out, notice->envelope->sender);
	text_puts(out, ">\n");
	text_append(out, notice->content, length);
	if (length > 0 && notice->content[length - 1] != '\n')
		text_putc(out, '\n');
	text_printf(out, "\n--%s--\n", boundary);
}

void
compose_notice(const struct notice *notice, struct text *out)
{
	char boundary[300];

	snprintf(boundary, sizeof(boundary), "%s.%lld/%s",
	    notice->envelope->queue_id,
	    (long long)(notice->envelope->arrival_us / 1000000),
	    config.myhostname);
	put_header(notice, boundary, out);
	put_explanation(notice, boundary, out);
	put_status(notice, boundary, out);
	put_message(notice, boundary, out);
}
