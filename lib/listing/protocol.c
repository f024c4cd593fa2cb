/* protocol - attributes over public/showq: name NUL value NUL, an empty name ends a list */

#include "listing/listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define PROTOCOL	"mail_queue_list_protocol"

/* What a value may be long, so that a broken peer cannot fill memory. */
#define VALUE_MAX	(1 << 20)

static void
put(struct text *out, const char *name, const char *value)
{
	text_append(out, name, strlen(name) + 1);
	text_append(out, value, strlen(value) + 1);
}

static void
put_number(struct text *out, const char *name, int64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%lld", (long long)value);
	put(out, name, digits);
}

void
listing_encode_begin(struct text *out)
{
	put(out, "protocol", PROTOCOL);
	text_putc(out, '\0');
}

void
listing_encode(struct text *out, const struct listed_message *message)
{
	put(out, "queue_name", message->queue);
	put(out, "queue_id", message->id);
	put_number(out, "time", message->arrival);
	put_number(out, "size", message->size);
	put_number(out, "forced_expire", message->forced_expire);
	put(out, "sender", message->sender);
	for (size_t i = 0; i < message->recipient_count; i++) {
		const struct listed_recipient *r = &message->recipients[i];

		put(out, "original_recipient", r->original);
		put(out, "recipient", r->address);
		put(out, "log_class", *r->reason != '\0' ? "defer" : "");
		put(out, "reason", r->reason);
	}
	text_putc(out, '\0');
}

void
listing_encode_end(struct text *out)
{
	text_putc(out, '\0');
}

/* A string up to its NUL. Gives its length, -1 at the end of the stream. */
static ssize_t
read_string(FILE *in, struct text *string)
{
	int c;

	text_truncate(string, 0);
	while ((c = getc(in)) != EOF) {
		if (c == '\0')
			return (ssize_t)string->length;
		if (string->length == VALUE_MAX)
			return -1;
		text_putc(string, (char)c);
	}
	return -1;
}

int
listing_read_begin(FILE *in)
{
	struct text name = TEXT_EMPTY, value = TEXT_EMPTY;
	ssize_t length;
	bool known = false;

	while ((length = read_string(in, &name)) > 0 &&
	    (length = read_string(in, &value)) >= 0)
		known |= strcmp(text_string(&name), "protocol") == 0 &&
		    strcmp(text_string(&value), PROTOCOL) == 0;
	text_clear(&name);
	text_clear(&value);
	return length == 0 && known ? 0 : -1;
}

static void
add_recipient(struct listed_message *message, const char *original)
{
	message->recipients = mem_resize(message->recipients,
	    message->recipient_count + 1, sizeof(*message->recipients));
	message->recipients[message->recipient_count++] =
	    (struct listed_recipient){ original, "", "" };
}

static void
take(struct listed_message *message, const char *name, const char *value)
{
	struct listed_recipient *last = message->recipient_count == 0 ? NULL :
	    &message->recipients[message->recipient_count - 1];

	if (strcmp(name, "queue_name") == 0)
		message->queue = value;
	else if (strcmp(name, "queue_id") == 0)
		message->id = value;
	else if (strcmp(name, "time") == 0)
		message->arrival = strtoll(value, NULL, 10);
	else if (strcmp(name, "size") == 0)
		message->size = strtoll(value, NULL, 10);
	else if (strcmp(name, "forced_expire") == 0)
		message->forced_expire = *value == '1';
	else if (strcmp(name, "sender") == 0)
		message->sender = value;
	else if (strcmp(name, "original_recipient") == 0)
		add_recipient(message, value);
	else if (strcmp(name, "recipient") == 0 && last != NULL)
		last->address = value;
	else if (strcmp(name, "reason") == 0 && last != NULL)
		last->reason = value;
}

int
listing_read(FILE *in, struct pool *pool, struct listed_message *message)
{
	struct text name = TEXT_EMPTY, value = TEXT_EMPTY;
	ssize_t length;

	*message = (struct listed_message){ .queue = "", .id = "",
	    .sender = "" };
	while ((length = read_string(in, &name)) > 0 &&
	    (length = read_string(in, &value)) >= 0)
		take(message, text_string(&name),
		    pool_strdup(pool, text_string(&value)));
	text_clear(&name);
	text_clear(&value);

	struct listed_recipient *recipients = message->recipients;

	if (recipients != NULL) {
		/* They end with the pool like all the rest. */
		message->recipients = pool_alloc(pool,
		    message->recipient_count * sizeof(*recipients));
		memcpy(message->recipients, recipients,
		    message->recipient_count * sizeof(*recipients));
		free(recipients);
	}
	return length < 0 ? -1 : *message->id != '\0';
}
