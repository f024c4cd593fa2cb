/* Records that the administrator does not want: they are made records of a type that nobody asks for. */

#include <arpa/inet.h>

#include "base/base.h"
#include "dns/message.h"
#include "dns/types.h"
#include "resolve/internal.h"

#define TYPE_OF_NOBODY	65399	/* among those for private use */

/* The strings of one record are one text. */
static void
print_text(struct text *out, const uint8_t *data, size_t length)
{
	while (length > 0) {
		size_t part = *data < length ? *data : length - 1;

		text_append(out, data + 1, part);
		data += part + 1;
		length -= part + 1;
	}
}

static void
print_name(struct text *out, const uint8_t *message, size_t length, size_t at)
{
	char room[DNS_NAME_TEXT];
	struct dns_name name;

	if (dns_name_unpack(&name, message, length, &at))
		text_puts(out, dns_name_print(name.bytes, room));
}

/* "mail.example. 3600 IN MX 10 mx.example." */
static void
print_record(struct text *out, const struct dns_record *record,
    const uint8_t *message, size_t length)
{
	const uint8_t *data = message + record->data;
	char room[DNS_NAME_TEXT];

	text_truncate(out, 0);
	text_printf(out, "%s %u IN ", dns_name_print(record->owner.bytes, room),
	    record->ttl);
	text_printf(out, "%s ", dns_type_print(record->type, room));
	switch (record->type) {
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
		if (record->length == (record->type == DNS_TYPE_A ? 4 : 16))
			text_puts(out, inet_ntop(record->type == DNS_TYPE_A ?
			    AF_INET : AF_INET6, data, room, sizeof(room)));
		break;
	case DNS_TYPE_MX:
		if (record->length > 2) {
			text_printf(out, "%u ", dns_get16(data));
			print_name(out, message, length, record->data + 2);
		}
		break;
	case DNS_TYPE_TXT:
		print_text(out, data, record->length);
		break;
	default:
		print_name(out, message, length, record->data);
		break;
	}
}

static const char *
sift_record(resolve_sieve *sieve, struct dns_record *record, uint8_t *message,
    size_t length, size_t *kept, size_t *dropped)
{
	struct text text = TEXT_EMPTY;
	const char *why = NULL;

	print_record(&text, record, message, length);
	switch (sieve(text_string(&text))) {
	case RESOLVE_KEEP:
		++*kept;
		break;
	case RESOLVE_DROP:
		/* Type, class, TTL and length are the ten octets before the data. */
		dns_put16(message + record->data - 10, TYPE_OF_NOBODY);
		++*dropped;
		break;
	case RESOLVE_WRONG:
		why = "Invalid DNS reply filter syntax";
		break;
	}
	text_clear(&text);
	return why;
}

const char *
sift(resolve_sieve *sieve, uint8_t *message, size_t length)
{
	size_t at = DNS_HEADER_SIZE, kept = 0, dropped = 0, question = at;
	char name[DNS_NAME_TEXT], type[DNS_MNEMONIC_MAX];
	const char *why = NULL;
	struct dns_record record;
	struct dns_name asked;

	if (sieve == NULL || length < DNS_HEADER_SIZE ||
	    dns_get16(message + 4) != 1 ||
	    !dns_question_skip(message, length, &at) ||
	    !dns_name_unpack(&asked, message, length, &question))
		return NULL;

	unsigned wanted = dns_get16(message + question);

	for (unsigned left = dns_get16(message + 6); left > 0 && why == NULL &&
	    dns_record_read(&record, message, length, &at); left--)
		if (record.type == wanted)
			why = sift_record(sieve, &record, message, length,
			    &kept, &dropped);
	if (why == NULL && kept == 0 && dropped > 0)
		why = "DNS reply filter drops all results";
	if (why != NULL)
		log_warning("Error looking up name=%s type=%s: %s",
		    dns_name_show(asked.bytes, name),
		    dns_type_print((uint16_t)wanted, type), why);
	return why;
}
