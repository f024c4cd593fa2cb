/* print - the queue as mailq(1) shows it, and as JSON */

#include "listing/listing.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "address/address.h"
#include "base/base.h"

/* Reasons end in this column, as mailq has had it since sendmail. */
#define REASON_COLUMN	76

/* Two widths of columns: for short and for long queue ids. */
static const struct columns {
	const char	*heading[4];
	const char	*row;		/* id, size, arrival, sender */
	const char	*rest;		/* three times "", recipient */
} columns[2] = {
	{ { "-Queue ID-", "--Size--", "----Arrival Time----",
	    "-Sender/Recipient-------" },
	    "%-11s %7lld %-20.20s %s\n", "%-11s %7s %-20s %s\n" },
	{ { "----Queue ID-----", "--Size--", "---Arrival Time----",
	    "--Sender/Recipient------" },
	    "%-17s %8lld %-19.19s %s\n", "%-17s %8s %-19s %s\n" },
};

/* A string that does nothing to a terminal. Released with free(3). */
static char *
printable(const char *string)
{
	return text_printable(mem_strdup(string));
}

static void
print_heading(const struct listing_printer *printer)
{
	const struct columns *form = &columns[printer->long_ids];

	fprintf(printer->out, printer->long_ids ? "%-17s %8s %-19s %s\n" :
	    "%-11s %7s %-20s %s\n", form->heading[0], form->heading[1],
	    form->heading[2], form->heading[3]);
}

static void
print_first_line(const struct listing_printer *printer,
    const struct listed_message *message)
{
	time_t when = (time_t)message->arrival;
	char arrival[32] = "", id[SPOOL_ID_SIZE + 4];
	char *sender = printable(message->sender);
	struct tm tm;

	if (localtime_r(&when, &tm) != NULL)
		asctime_r(&tm, arrival);
	snprintf(id, sizeof(id), "%s%s%s", message->id,
	    strcmp(message->queue, "active") == 0 ? "*" :
	    strcmp(message->queue, "hold") == 0 ? "!" : "",
	    message->forced_expire ? "#" : "");
	fprintf(printer->out, columns[printer->long_ids].row, id,
	    (long long)message->size, arrival, sender);
	free(sender);
}

static void
print_reason(const struct listing_printer *printer, const char *reason)
{
	char *text = printable(*reason != '\0' ? reason : "reason unavailable");
	int blanks = REASON_COLUMN - (int)strlen(text);

	fprintf(printer->out, "%*s(%s)\n", blanks > 0 ? blanks : 0, "", text);
	free(text);
}

void
listing_print(struct listing_printer *printer,
    const struct listed_message *message)
{
	const char *reason = "";

	if (printer->messages == 0)
		print_heading(printer);
	else
		fputc('\n', printer->out);
	printer->messages++;
	printer->bytes += message->size;
	print_first_line(printer, message);
	for (size_t i = 0; i < message->recipient_count; i++) {
		const struct listed_recipient *r = &message->recipients[i];
		char *address = printable(r->address);

		if (strcmp(reason, r->reason) != 0)
			print_reason(printer, r->reason);
		reason = r->reason;
		fprintf(printer->out, columns[printer->long_ids].rest, "", "",
		    "", address);
		free(address);
	}
}

void
listing_print_end(struct listing_printer *printer)
{
	if (printer->messages == 0)
		fputs("Mail queue is empty\n", printer->out);
	else
		fprintf(printer->out, "\n-- %lld Kbytes in %zu Request%s.\n",
		    (long long)(printer->bytes / 1024), printer->messages,
		    printer->messages == 1 ? "" : "s");
}

void
listing_print_member(FILE *out, const char *separator, const char *name,
    const char *value)
{
	static const char escapes[] = "\b\f\n\r\t\"\\";
	static const char letters[] = "bfnrt\"\\";
	bool is_utf8 = text_is_utf8(value, strlen(value));

	fprintf(out, "%s\"%s\": \"", separator, name);
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		const char *escape = strchr(escapes, *p);

		if (escape != NULL)
			fprintf(out, "\\%c", letters[escape - escapes]);
		else if (*p < 0x20 || *p == 0x7f)
			fprintf(out, "\\u%04x", *p);
		else
			putc(*p >= 0x80 && !is_utf8 ? '?' : *p, out);
	}
	putc('"', out);
}

void
listing_print_object(FILE *out, const struct listed_message *message)
{
	listing_print_member(out, "{", "queue_name", message->queue);
	listing_print_member(out, ", ", "queue_id", message->id);
	fprintf(out, ", \"arrival_time\": %lld, \"message_size\": %lld, "
	    "\"forced_expire\": %s", (long long)message->arrival,
	    (long long)message->size,
	    message->forced_expire ? "true" : "false");
	listing_print_member(out, ", ", "sender", message->sender);
	if (*message->login != '\0')
		listing_print_member(out, ", ", "login", message->login);
	fputs(", \"recipients\": [", out);
	for (size_t i = 0; i < message->recipient_count; i++) {
		const struct listed_recipient *r = &message->recipients[i];
		const char *separator = i == 0 ? "{" : ", {";

		if (*r->original != '\0') {
			listing_print_member(out, separator, "orig_address",
			    r->original);
			separator = ", ";
		}
		listing_print_member(out, separator, "address", r->address);
		if (*r->reason != '\0')
			listing_print_member(out, ", ", "delay_reason", r->reason);
		putc('}', out);
	}
	fputs("]}", out);
}

void
listing_print_json(FILE *out, const struct listed_message *message)
{
	listing_print_object(out, message);
	putc('\n', out);
}
