/* protocol - attributes over public/showq: name NUL value NUL, an empty name ends a list */

#include "listing/listing.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/base.h"

#define PROTOCOL	"mail_queue_list_protocol"

/* What a value may be long, so that a broken peer cannot fill memory. */
#define VALUE_MAX	(1 << 20)

/* A client of ours is bound to a name without a file that begins so. */
#define OUR_NAME	"postroad-listing-"

int
listing_connect(const char *path)
{
	struct sockaddr_un ours = { .sun_family = AF_UNIX };
	struct sockaddr_un showq = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int length = snprintf(ours.sun_path + 1, sizeof(ours.sun_path) - 1,
	    OUR_NAME "%08x%08x", arc4random(), arc4random());

	strlcpy(showq.sun_path, path, sizeof(showq.sun_path));
	if (fd != -1 && (bind(fd, (struct sockaddr *)&ours,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
	    (size_t)length)) == -1 ||
	    connect(fd, (struct sockaddr *)&showq, sizeof(showq)) == -1))
		fd_close(&fd);
	return fd;
}

bool
listing_peer_is_ours(int fd)
{
	struct sockaddr_un peer = { .sun_family = AF_UNSPEC };
	socklen_t length = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)&peer, &length) == 0 &&
	    length > offsetof(struct sockaddr_un, sun_path) +
	    sizeof(OUR_NAME) && memcmp(peer.sun_path + 1, OUR_NAME,
	    sizeof(OUR_NAME) - 1) == 0;
}

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
listing_encode(struct text *out, const struct listed_message *message,
    bool ours)
{
	put(out, "queue_name", message->queue);
	put(out, "queue_id", message->id);
	put_number(out, "time", message->arrival);
	put_number(out, "size", message->size);
	put_number(out, "forced_expire", message->forced_expire);
	put(out, "sender", message->sender);
	if (ours && *message->login != '\0')
		put(out, "login", message->login);
	for (size_t i = 0; i < message->recipient_count; i++) {
		const struct listed_recipient *r = &message->recipients[i];

		if (ours)
			put(out, "original_recipient", r->original);
		put(out, "recipient", r->address);
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

/* Of the one that original_recipient began, or of a new one. */
static void
take_address(struct listed_message *message, const char *address)
{
	if (message->recipient_count == 0 ||
	    *message->recipients[message->recipient_count - 1].address != '\0')
		add_recipient(message, "");
	message->recipients[message->recipient_count - 1].address = address;
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
	else if (strcmp(name, "login") == 0)
		message->login = value;
	else if (strcmp(name, "original_recipient") == 0)
		add_recipient(message, value);
	else if (strcmp(name, "recipient") == 0)
		take_address(message, value);
	else if (strcmp(name, "reason") == 0 && last != NULL)
		last->reason = value;
}

int
listing_read(FILE *in, struct pool *pool, struct listed_message *message)
{
	struct text name = TEXT_EMPTY, value = TEXT_EMPTY;
	ssize_t length;

	*message = (struct listed_message){ .queue = "", .id = "",
	    .sender = "", .login = "" };
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
