#include "dns/message.h"

#include <string.h>

#include "base/text.h"

static bool
skip_name(const uint8_t *message, size_t length, size_t *offset)
{
	struct dns_name name;

	return dns_name_unpack(&name, message, length, offset);
}

bool
dns_question_skip(const uint8_t *message, size_t length, size_t *offset)
{
	if (!skip_name(message, length, offset) || length - *offset < 4)
		return false;
	*offset += 4;
	return true;
}

bool
dns_record_read(struct dns_record *record, const uint8_t *message,
    size_t length, size_t *offset)
{
	if (!dns_name_unpack(&record->owner, message, length, offset) ||
	    length - *offset < 10)
		return false;

	const uint8_t *fixed = message + *offset;

	record->type = dns_get16(fixed);
	record->class = dns_get16(fixed + 2);
	record->ttl = dns_get32(fixed + 4);
	record->length = dns_get16(fixed + 8);
	record->data = *offset + 10;
	if (length - record->data < record->length)
		return false;
	*offset = record->data + record->length;
	return true;
}

/* RFC 7871 section 6: family, source prefix, scope, as many address octets as the prefix needs, no bit beyond it. */
static bool
is_client_subnet(const uint8_t *option, size_t length)
{
	if (length < 4)
		return false;

	unsigned family = dns_get16(option), prefix = option[2];
	unsigned most = family == 1 ? 32 : family == 2 ? 128 : 0;

	if (family > 2 || prefix > most || length != 4 + (prefix + 7) / 8)
		return false;
	return prefix % 8 == 0 ||
	    (option[length - 1] & (0xff >> prefix % 8)) == 0;
}

/* The scope is for us to tell. With one, BIND does not answer by EDNS. */
static bool
read_client_subnet(struct dns_query *query, const uint8_t *option,
    size_t length)
{
	if (!is_client_subnet(option, length))
		return false;
	if (option[3] != 0) {
		query->has_edns = dns_get16(option) == 0;
		return false;
	}
	query->subnet = option;
	query->subnet_length = length;
	return true;
}

static bool
read_cookie(struct dns_query *query, const uint8_t *option, size_t length)
{
	if (length != 8 && (length < 16 || length > 40))
		return false;
	if (query->cookie == NULL) {
		query->cookie = option;
		query->cookie_length = length;
	}
	return true;
}

/* RFC 8914 section 2: a code, and text without a byte order mark. */
static bool
is_extended_error(const uint8_t *option, size_t length)
{
	const char *text = (const char *)option + 2;

	return length >= 2 && text_is_utf8(text, length - 2) &&
	    (length < 5 || memcmp(text, "\xef\xbb\xbf", 3) != 0);
}

/* Does an option that means nothing to us have the form that it may have? */
static bool
is_option(unsigned code, const uint8_t *option, size_t length)
{
	switch (code) {
	case DNS_OPTION_LLQ:
		return length == 18;
	case DNS_OPTION_EXPIRE:
		return length == 0 || length == 4;
	case DNS_OPTION_KEY_TAG:
		return length > 0 && length % 2 == 0;
	case DNS_OPTION_ERROR:
		return is_extended_error(option, length);
	case DNS_OPTION_CLIENT_TAG:
	case DNS_OPTION_SERVER_TAG:
		return length == 2;
	default:
		return true;
	}
}

static bool
read_option(struct dns_query *query, unsigned code, const uint8_t *option,
    size_t length)
{
	switch (code) {
	case DNS_OPTION_NSID:
		query->wants_nsid = true;
		return true;
	case DNS_OPTION_TCP_KEEPALIVE:
		query->wants_keepalive = true;
		return true;
	case DNS_OPTION_PADDING:
		query->wants_padding = true;
		return true;
	case DNS_OPTION_CLIENT_SUBNET:
		return read_client_subnet(query, option, length);
	case DNS_OPTION_COOKIE:
		return read_cookie(query, option, length);
	default:
		return is_option(code, option, length);
	}
}

/* Are these whole options, with nothing behind them? */
static bool
are_options(const uint8_t *at, size_t left)
{
	while (left >= 4 && left - 4 >= dns_get16(at + 2)) {
		size_t length = 4 + dns_get16(at + 2);

		at += length;
		left -= length;
	}
	return left == 0;
}

/* The OPT record at offset. False: FORMERR, and if its form is at fault it counts for nothing. */
static bool
read_edns(struct dns_query *query, const uint8_t *message,
    const struct dns_record *opt)
{
	if (query->has_edns || opt->owner.length != 1 ||
	    !are_options(message + opt->data, opt->length)) {
		query->has_edns = false;
		return false;
	}
	query->has_edns = true;
	query->edns_version = opt->ttl >> 16 & 0xff;
	query->wants_dnssec = (opt->ttl & 0x8000) != 0;
	if (opt->class > DNS_UDP_PLAIN)
		query->udp_size = opt->class;

	const uint8_t *at = message + opt->data;
	struct dns_query unknown = *query;	/* what options of another version mean is not ours to know */
	struct dns_query *to = query->edns_version == 0 ? query : &unknown;

	for (size_t left = opt->length; left > 0; ) {
		size_t length = dns_get16(at + 2);

		if (!read_option(to, dns_get16(at), at + 4, length))
			return false;
		at += 4 + length;
		left -= 4 + length;
	}
	return true;
}

/* Records are of the question's class, but for those about the message itself and what an update asks for. */
static bool
is_class_in_order(const struct dns_query *query, const struct dns_record *record)
{
	return record->class == query->class || query->name_length == 0 ||
	    record->type == DNS_TYPE_OPT || record->type == DNS_TYPE_TSIG ||
	    query->opcode == DNS_OPCODE_UPDATE;
}

/* The question's name must stand uncompressed: nothing stands before it. */
static bool
read_question(struct dns_query *query, const uint8_t *message, size_t length)
{
	size_t name_length = dns_name_check(message + DNS_HEADER_SIZE,
	    length - DNS_HEADER_SIZE);
	size_t end = DNS_HEADER_SIZE + name_length;

	if (name_length == 0 || length - end < 4)
		return false;
	query->name_length = name_length;
	query->type = dns_get16(message + end);
	query->class = dns_get16(message + end + 2);
	query->end = end + 4;
	return true;
}

/* What a NOTIFY or UPDATE is about is a zone, which has a class (RFC 2136 section 2.3). */
static bool
is_class_of_no_zone(struct dns_query *query)
{
	if ((query->opcode != DNS_OPCODE_NOTIFY &&
	    query->opcode != DNS_OPCODE_UPDATE) ||
	    (query->class != DNS_CLASS_NONE && query->class != DNS_CLASS_ANY))
		return false;
	query->name_length = 0;
	query->end = DNS_HEADER_SIZE;
	return true;
}

/* The records behind the question: none may be cut off, one may be OPT. */
static bool
read_rest(struct dns_query *query, const uint8_t *message, size_t length)
{
	unsigned counts[] = { dns_get16(message + 6), dns_get16(message + 8),
	    dns_get16(message + 10) };
	size_t at = query->end;

	query->has_authority = counts[1] > 0;
	for (int section = 0; section < 3; section++) {
		for (unsigned i = 0; i < counts[section]; i++) {
			struct dns_record record;
			size_t begin = at;

			if (!dns_record_read(&record, message, length, &at)) {
				query->has_edns = false;
				return false;
			}
			if (!is_class_in_order(query, &record))
				return false;
			/* RFC 8945 section 5.1: nothing stands behind it. */
			if (query->tsig_at != 0)
				return false;
			if (record.type == DNS_TYPE_TSIG) {
				if (section != 2)
					return false;
				query->tsig_at = begin;
			}
			if (record.type != DNS_TYPE_OPT)
				continue;
			if (section != 2 ||
			    !read_edns(query, message, &record))
				return false;
		}
	}
	return true;	/* octets behind the last record are nobody's */
}

enum dns_verdict
dns_query_parse(struct dns_query *query, const uint8_t *message, size_t length)
{
	if (length < DNS_HEADER_SIZE)
		return DNS_DROP;
	*query = (struct dns_query) {
		.id = dns_get16(message),
		.flags = dns_get16(message + 2),
		.end = DNS_HEADER_SIZE,
		.udp_size = DNS_UDP_PLAIN,
	};
	if (query->flags & DNS_QR)
		return DNS_DROP;
	query->opcode = (query->flags & DNS_OPCODE) >> 11;

	unsigned questions = dns_get16(message + 4);
	bool has_question = questions == 1 &&
	    read_question(query, message, length) &&
	    !is_class_of_no_zone(query);
	bool has_rest = (has_question || questions == 0) &&
	    read_rest(query, message, length);

	if (!has_rest)
		query->wants_dnssec = false;
	switch (query->opcode) {
	case DNS_OPCODE_QUERY:
		/* RFC 7873 section 5.4: a cookie may be asked for alone. */
		return has_rest && (has_question || query->cookie_length > 0) ?
		    DNS_ANSWER : DNS_REPLY_FORMERR;
	case DNS_OPCODE_NOTIFY:
	case DNS_OPCODE_UPDATE:
		return has_question && has_rest ? DNS_ANSWER :
		    DNS_REPLY_FORMERR;
	default:
		return has_rest ? DNS_ANSWER : DNS_REPLY_FORMERR;
	}
}
