#include "smtp/status.h"

#include <ctype.h>
#include <string.h>

/* RFC 3463 section 3, and what the registry added that mail servers use. */
static const struct { const char *code, *meaning; } meanings[] = {
	{ "1.0", "Other address status" },
	{ "1.1", "Bad destination mailbox address" },
	{ "1.2", "Bad destination system address" },
	{ "1.3", "Bad destination mailbox address syntax" },
	{ "1.4", "Destination mailbox address ambiguous" },
	{ "1.6", "Mailbox has moved" },
	{ "1.7", "Bad sender's mailbox address syntax" },
	{ "1.8", "Bad sender's system address" },
	{ "1.10", "Recipient address has null MX" },
	{ "2.0", "Other or undefined mailbox status" },
	{ "2.1", "Mailbox disabled, not accepting messages" },
	{ "2.2", "Mailbox full" },
	{ "2.3", "Message length exceeds administrative limit" },
	{ "2.4", "Mailing list expansion problem" },
	{ "3.0", "Other or undefined mail system status" },
	{ "3.1", "Mail system full" },
	{ "3.2", "System not accepting network messages" },
	{ "3.3", "System not capable of selected features" },
	{ "3.4", "Message too big for system" },
	{ "3.5", "System incorrectly configured" },
	{ "4.0", "Other or undefined network or routing status" },
	{ "4.1", "No answer from host" },
	{ "4.2", "Bad connection" },
	{ "4.3", "Directory server failure" },
	{ "4.4", "Unable to route" },
	{ "4.5", "Mail system congestion" },
	{ "4.6", "Routing loop detected" },
	{ "4.7", "Delivery time expired" },
	{ "5.0", "Other or undefined protocol status" },
	{ "5.1", "Invalid command" },
	{ "5.2", "Syntax error" },
	{ "5.3", "Too many recipients" },
	{ "5.4", "Invalid command arguments" },
	{ "6.0", "Other or undefined media error" },
	{ "6.1", "Media not supported" },
	{ "6.3", "Conversion required but not supported" },
	{ "6.7", "Non-ASCII addresses not permitted" },
	{ "7.0", "Other or undefined security status" },
	{ "7.1", "Delivery not authorized, message refused" },
	{ "7.8", "Authentication credentials invalid" },
	{ "7.25", "Reverse DNS validation failed" },
	{ "7.27", "Sender address has null MX" },
};

/* Up to three digits. */
static size_t
digits(const char *text, size_t length)
{
	size_t at = 0;

	while (at < length && at < 4 && isdigit((unsigned char)text[at]))
		at++;
	return at < 4 ? at : 0;
}

size_t
smtp_status_parse(const char *text, size_t length,
    char status[SMTP_STATUS_SIZE])
{
	status[0] = '\0';
	if (length < 5 || memchr("245", text[0], 3) == NULL || text[1] != '.')
		return 0;

	size_t subject = digits(text + 2, length - 2);
	size_t dot = 2 + subject;

	if (subject == 0 || dot >= length || text[dot] != '.')
		return 0;

	size_t detail = digits(text + dot + 1, length - dot - 1);
	size_t end = dot + 1 + detail;

	if (detail == 0 || (end < length && !isspace((unsigned char)text[end])))
		return 0;
	memcpy(status, text, end);
	status[end] = '\0';
	return end;
}

const char *
smtp_status_meaning(const char *status)
{
	const char *code = strchr(status, '.');

	for (size_t i = 0; code != NULL &&
	    i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strcmp(meanings[i].code, code + 1) == 0)
			return meanings[i].meaning;
	return "Other";
}
