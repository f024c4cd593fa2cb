#include "message/envelope.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_RECORD	(1 << 20)

struct envelope *
envelope_new(struct pool *pool)
{
	struct envelope *envelope = pool_alloc(pool, sizeof(*envelope));

	if (envelope == NULL)
		return NULL;
	envelope->pool = pool;
#define EMPTY_STRING(field)	envelope->field = "";
#define EMPTY_INT(field)
#define ATTRIBUTE(letter, type, field)	EMPTY_##type(field)
#define RECIPIENT(letter, type, field)
#include "message/envelope.def"
#undef ATTRIBUTE
#undef RECIPIENT
	return envelope;
}

struct recipient *
envelope_add_recipient(struct envelope *envelope, const char *address)
{
	if (envelope->recipient_count == envelope->recipient_room) {
		size_t room = envelope->recipient_room > 0 ?
		    envelope->recipient_room * 2 : 4;
		struct recipient *more = pool_alloc(envelope->pool,
		    room * sizeof(*more));

		if (more == NULL)
			return NULL;
		if (envelope->recipient_count > 0)
			memcpy(more, envelope->recipients,
			    envelope->recipient_count * sizeof(*more));
		envelope->recipients = more;
		envelope->recipient_room = room;
	}

	struct recipient *recipient =
	    &envelope->recipients[envelope->recipient_count];

	*recipient = (struct recipient){
		.address = address, .original = "", .dsn_orcpt = "",
		.expanded = "",
		.number = (int64_t)envelope->recipient_count,
	};
	envelope->recipient_count++;
	return recipient;
}

int64_t
envelope_notify_expanded(int64_t notify)
{
	return notify == DSN_NOTIFY_SUCCESS ? DSN_NOTIFY_NEVER :
	    notify & ~DSN_NOTIFY_SUCCESS;
}

static void
put_string(struct text *text, char letter, const char *value)
{
	text_printf(text, "%c%zu:", letter, strlen(value));
	text_puts(text, value);
	text_putc(text, '\n');
}

/* What is absent, "" or 0, is not written. */
static void
put_STRING(struct text *text, char letter, const char *value)
{
	if (value != NULL && *value != '\0')
		put_string(text, letter, value);
}

static void
put_INT(struct text *text, char letter, int64_t value)
{
	char number[24];

	if (value == 0)
		return;
	snprintf(number, sizeof(number), "%lld", (long long)value);
	put_string(text, letter, number);
}

void
envelope_encode(const struct envelope *envelope, struct text *text)
{
#define ATTRIBUTE(letter, type, field)	put_##type(text, letter, envelope->field);
#define RECIPIENT(letter, type, field)
#include "message/envelope.def"
#undef ATTRIBUTE
#undef RECIPIENT

	for (size_t i = 0; i < envelope->recipient_count; i++) {
		const struct recipient *recipient = &envelope->recipients[i];

		put_string(text, 'r', recipient->address);
#define ATTRIBUTE(letter, type, field)
#define RECIPIENT(letter, type, field)	put_##type(text, letter, recipient->field);
#include "message/envelope.def"
#undef ATTRIBUTE
#undef RECIPIENT
	}
}

int
envelope_record_next(const char *bytes, size_t length, size_t *position,
    const char **value, size_t *value_length)
{
	size_t at = *position, digits = 0, size = 0;

	if (at >= length)
		return 0;

	char letter = bytes[at++];

	while (at < length && bytes[at] >= '0' && bytes[at] <= '9') {
		size = size * 10 + (size_t)(bytes[at++] - '0');
		if (++digits > 7 || size > LONGEST_RECORD)
			return -1;
	}
	if (digits == 0 || letter <= ' ' || at >= length || bytes[at++] != ':')
		return -1;
	if (length - at < size + 1 || bytes[at + size] != '\n' ||
	    memchr(bytes + at, '\0', size) != NULL)
		return -1;
	*value = bytes + at;
	*value_length = size;
	*position = at + size + 1;
	return (unsigned char)letter;
}

static int
get_STRING(struct pool *pool, const char *value, size_t length,
    const char **to)
{
	*to = pool_strndup(pool, value, length);
	return *to == NULL ? -1 : 0;
}

static int
get_INT(struct pool *pool, const char *value, size_t length, int64_t *to)
{
	char number[24];
	const char *error;

	if (length >= sizeof(number)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(number, value, length);
	number[length] = '\0';
	*to = strtonum(number, INT64_MIN, INT64_MAX, &error);
	if (error != NULL)
		errno = EINVAL;
	return error != NULL ? -1 : 0;
}

static int
decode_record(struct envelope *envelope, int letter, const char *value,
    size_t length)
{
	struct pool *pool = envelope->pool;
	struct recipient *recipient = envelope->recipient_count == 0 ? NULL :
	    &envelope->recipients[envelope->recipient_count - 1];

	switch (letter) {
	case 'r': {
		const char *address = pool_strndup(pool, value, length);

		if (address == NULL || (recipient =
		    envelope_add_recipient(envelope, address)) == NULL)
			return -1;
		recipient->number = 0;	/* said only if it is another */
		return 0;
	}
#define ATTRIBUTE(letter, type, field)					\
	case letter:							\
		return get_##type(pool, value, length, &envelope->field);
#define RECIPIENT(letter, type, field)					\
	case letter:							\
		if (recipient == NULL)					\
			break;						\
		return get_##type(pool, value, length, &recipient->field);
#include "message/envelope.def"
#undef ATTRIBUTE
#undef RECIPIENT
	}
	errno = EINVAL;
	return -1;
}

struct envelope *
envelope_decode(struct pool *pool, const char *bytes, size_t length)
{
	struct envelope *envelope = envelope_new(pool);
	size_t position = 0, value_length;
	const char *value;
	int letter;

	if (envelope == NULL)
		return NULL;
	while ((letter = envelope_record_next(bytes, length, &position, &value,
	    &value_length)) > 0) {
		if (decode_record(envelope, letter, value, value_length) == -1)
			return NULL;
	}
	if (letter == -1) {
		errno = EINVAL;
		return NULL;
	}
	return envelope;
}

const char *
envelope_attribute_name(char letter)
{
	switch (letter) {
	case 'r':
		return "recipient";
#define ATTRIBUTE(letter, type, field)	case letter: return #field;
#define RECIPIENT(letter, type, field)	case letter: return #field;
#include "message/envelope.def"
#undef ATTRIBUTE
#undef RECIPIENT
	}
	return NULL;
}

bool
envelope_is_user_token(const char *token)
{
	return strlen(token) == ENVELOPE_USER_TOKEN &&
	    strspn(token, "0123456789abcdef") == ENVELOPE_USER_TOKEN;
}
