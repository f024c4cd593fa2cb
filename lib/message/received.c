#include "message/received.h"

#include <ctype.h>
#include <string.h>

#include "address/address.h"
#include "message/date.h"

/* The client chose its name: what could end the field or open a comment becomes '?'. */
static void
append_safe(struct text *out, const char *name)
{
	for (; *name != '\0'; name++) {
		unsigned char c = *name;

		text_putc(out, isalnum(c) || c >= 0x80 ||
		    strchr(".-_:[]", c) != NULL ? c : '?');
	}
}

static void
append_client(struct text *out, const struct envelope *envelope)
{
	bool is_v6 = strchr(envelope->client_address, ':') != NULL;

	text_puts(out, "Received: from ");
	append_safe(out, envelope->helo_name[0] != '\0' ?
	    envelope->helo_name : envelope->client_name);
	text_puts(out, " (");
	append_safe(out, envelope->client_name);
	text_printf(out, " [%s%s])\n", is_v6 ? "IPv6:" : "",
	    envelope->client_address);
}

void
message_received(struct text *out, const struct envelope *envelope,
    const char *myhostname, const char *mail_name, const char *origin)
{
	char date[MESSAGE_DATE_SIZE];

	message_date(date, envelope->arrival_us / 1000000);
	if (envelope->protocol_name[0] == '\0') {
		text_printf(out, "Received: by %s (%s%s%s)\n\tid %s; %s\n",
		    myhostname, mail_name, origin == NULL ? "" : ", ",
		    origin == NULL ? "" : origin, envelope->queue_id, date);
		return;
	}
	append_client(out, envelope);
	text_printf(out, "\tby %s (%s) with %s%s%s", myhostname, mail_name,
	    envelope->protocol_name, *envelope->queue_id == '\0' ? "" :
	    " id ", envelope->queue_id);
	if (envelope->recipient_count != 1) {
		text_printf(out, ";\n\t%s\n", date);
		return;
	}
	/* With several recipients it would tell each of the others. */
	text_puts(out, "\n\tfor <");
	address_quote(out, envelope->recipients[0].address);
	text_printf(out, ">; %s\n", date);
}
