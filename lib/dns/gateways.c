/*
 * gateways - data whose form depends on what stands before it: APL, WKS, A6,
 * IPSECKEY, AMTRELAY, HIP
 */

#include <arpa/inet.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "dns/internal.h"

static size_t
used_octets(const uint8_t *octets, size_t length)
{
	while (length > 0 && octets[length - 1] == 0)
		length--;
	return length;
}

static bool
is_word(const struct dns_word *word, const char *text)
{
	return word->length == strlen(text) &&
	    strncasecmp(word->text, text, word->length) == 0;
}

/* Prefixes of addresses (RFC 3123): "!1:10.0.0.0/8" */

static int
put_prefix(struct dns_rdata_writer *w, const struct dns_word *word)
{
	char text[64], *at = text, *slash, *colon;
	uint8_t octets[20] = { 0 };
	bool negated;
	const char *wrong;
	int family;

	w->why = "syntax error";
	if (word->length >= sizeof(text))
		return -1;
	memcpy(text, word->text, word->length);
	text[word->length] = '\0';
	negated = *at == '!';
	at += negated;
	colon = strchr(at, ':');
	slash = strrchr(at, '/');
	if (colon == NULL || slash == NULL || slash < colon)
		return -1;
	*colon = *slash = '\0';
	family = strtonum(at, 0, 65535, &wrong);
	if (wrong != NULL)
		return -1;
	w->why = "not implemented";
	if (family != 1 && family != 2)
		return -1;
	w->why = "out of range";
	octets[1] = family;
	octets[2] = strtonum(slash + 1, 0, family == 1 ? 32 : 128, &wrong);
	if (wrong != NULL)
		return -1;
	w->why = family == 1 ? "bad dotted quad" : "bad IPv6 address";
	if (inet_pton(family == 1 ? AF_INET : AF_INET6, colon + 1,
	    octets + 4) != 1)
		return -1;
	octets[3] = used_octets(octets + 4, 16) | (negated ? 0x80 : 0);
	return dns_rdata_put(w, octets, 4 + (octets[3] & 0x7f));
}

static int
parse_prefixes(struct dns_rdata_writer *w, const struct dns_word *words,
    size_t count)
{
	for (; w->bad < (int)count; w->bad++)
		if (put_prefix(w, &words[w->bad]) == -1)
			return -1;
	return 0;
}

static bool
check_prefixes(const uint8_t *at, size_t size)
{
	while (size > 0) {
		size_t length;
		unsigned family;

		if (size < 4)
			return false;
		family = at[0] << 8 | at[1];
		length = at[3] & 0x7f;
		if (size - 4 < length ||
		    (length > 0 && at[4 + length - 1] == 0) ||
		    (family == 1 && (length > 4 || at[2] > 32)) ||
		    (family == 2 && (length > 16 || at[2] > 128)) ||
		    (family != 1 && family != 2))
			return false;
		at += 4 + length;
		size -= 4 + length;
	}
	return true;
}

static void
print_prefixes(const uint8_t *at, size_t size, struct text *to)
{
	for (const char *space = ""; size > 0; space = " ") {
		size_t length = at[3] & 0x7f;
		uint8_t address[16] = { 0 };
		char text[INET6_ADDRSTRLEN];

		memcpy(address, at + 4, length);
		text_printf(to, "%s%s%u:%s/%u", space, at[3] & 0x80 ? "!" : "",
		    at[1], inet_ntop(at[1] == 1 ? AF_INET : AF_INET6, address,
		    text, sizeof(text)), at[2]);
		at += 4 + length;
		size -= 4 + length;
	}
}

/* Protocol and services (RFC 1035 section 3.4.2), behind the address */

static const struct { const char *name; unsigned number; } protocols[] = {
	{ "icmp", 1 }, { "igmp", 2 }, { "ggp", 3 }, { "tcp", 6 },
	{ "egp", 8 }, { "udp", 17 },
};

/* Those that zone files of old name; the system's list is no part of the grammar. */
static const struct { const char *name; unsigned port; } services[] = {
	{ "echo", 7 }, { "discard", 9 }, { "systat", 11 }, { "daytime", 13 },
	{ "ftp-data", 20 }, { "ftp", 21 }, { "ssh", 22 }, { "telnet", 23 },
	{ "smtp", 25 }, { "time", 37 }, { "whois", 43 }, { "domain", 53 },
	{ "tftp", 69 }, { "gopher", 70 }, { "finger", 79 }, { "http", 80 },
	{ "kerberos", 88 }, { "pop3", 110 }, { "sunrpc", 111 },
	{ "auth", 113 }, { "nntp", 119 }, { "ntp", 123 }, { "imap2", 143 },
	{ "imap", 143 }, { "snmp", 161 }, { "irc", 194 }, { "ldap", 389 },
	{ "https", 443 }, { "submission", 587 }, { "imaps", 993 },
	{ "pop3s", 995 },
};

static int
parse_services(struct dns_rdata_writer *w, const struct dns_word *words,
    size_t count)
{
	static const char missing[] = "unexpected end of input";
	uint8_t bits[8192] = { 0 }, protocol;
	int64_t number;

	w->why = missing;
	if (count == 0)
		return -1;
	number = dns_number_parse(&words[0], 255);
	for (size_t i = 0; i < COUNT_OF(protocols); i++)
		if (is_word(&words[0], protocols[i].name))
			number = protocols[i].number;
	w->why = "unknown protocol";
	if (number == -1)
		return -1;
	protocol = number;
	w->why = "unknown service";
	for (w->bad = 1; w->bad < (int)count; w->bad++) {
		number = dns_number_parse(&words[w->bad], 65535);
		for (size_t i = 0; i < COUNT_OF(services); i++)
			if (is_word(&words[w->bad], services[i].name))
				number = services[i].port;
		if (number == -1)
			return -1;
		bits[number / 8] |= 0x80 >> number % 8;
	}
	return dns_rdata_put(w, &protocol, 1) == -1 ? -1 :
	    dns_rdata_put(w, bits, used_octets(bits, sizeof(bits)));
}

static bool
check_services(const uint8_t *at, size_t size)
{
	return size >= 1 && size <= 1 + 8192;
}

static void
print_services(const uint8_t *at, size_t size, struct text *to)
{
	text_printf(to, "%u", at[0]);
	for (size_t bit = 0; bit < (size - 1) * 8; bit++)
		if (at[1 + bit / 8] & 0x80 >> bit % 8)
			text_printf(to, " %zu", bit);
}

/* An IPv6 address from a prefix elsewhere and what is missing to it (RFC 2874) */

static int
parse_a6(struct dns_rdata_writer *w, const struct dns_word *words,
    size_t count)
{
	int64_t prefix = count > 0 ? dns_number_parse(&words[0], 128) : -1;
	uint8_t octets[17] = { 0 };
	size_t next = 1;

	w->why = "out of range";
	if (prefix == -1)
		return -1;
	octets[0] = prefix;
	if (prefix < 128) {
		if (count < 2) {
			w->bad = -1;
			w->why = "unexpected end of input";
			return -1;
		}
		w->bad = next;
		if (dns_address_parse(&words[next++], AF_INET6, octets + 1,
		    &w->why) == -1)
			return -1;
		/* Bits that the prefix has are zeros here. */
		memset(octets + 1, 0, prefix / 8);
		octets[1 + prefix / 8] &= 0xff >> prefix % 8;
	}
	if (dns_rdata_put(w, octets, 1) == -1 || dns_rdata_put(w, octets + 1 +
	    prefix / 8, (128 - prefix + 7) / 8) == -1)
		return -1;
	w->why = "unexpected end of input";
	w->bad = next;
	if (prefix > 0 && next == count) {
		w->bad = -1;
		return -1;
	}
	if (prefix > 0 && dns_rdata_put_name(w, &words[next++]) == -1)
		return -1;
	w->why = "extra input text";
	return next == count ? 0 : -1;
}

static bool
check_a6(const uint8_t *at, size_t size)
{
	size_t address = size > 0 && at[0] <= 128 ? (128 - at[0] + 7) / 8 : 17;

	if (size < 1 + address)
		return false;
	if (at[0] == 0)
		return size == 1 + address;
	return dns_name_check(at + 1 + address, size - 1 - address) ==
	    size - 1 - address;
}

static void
print_a6(const uint8_t *at, size_t size, struct text *to)
{
	uint8_t address[16] = { 0 };
	size_t length = (128 - at[0] + 7) / 8;
	char text[INET6_ADDRSTRLEN], name[DNS_NAME_TEXT];

	memcpy(address + 16 - length, at + 1, length);
	text_printf(to, "%u", at[0]);
	if (at[0] < 128)
		text_printf(to, " %s", inet_ntop(AF_INET6, address, text,
		    sizeof(text)));
	if (at[0] > 0)
		text_printf(to, " %s", dns_name_print(at + 1 + length, name));
}

/* Gateways: nothing, an address of 4 or 6, or a name (RFC 4025, RFC 8777) */

enum { GATEWAY_NONE, GATEWAY_IPV4, GATEWAY_IPV6, GATEWAY_NAME };

static int
put_gateway(struct dns_rdata_writer *w, int64_t type,
    const struct dns_word *word)
{
	uint8_t address[16];

	w->why = "bad gateway: expected '.'";
	switch (type) {
	case GATEWAY_NONE:
		return word->length == 1 && *word->text == '.' ? 0 : -1;
	case GATEWAY_NAME:
		return dns_rdata_put_name(w, word);
	default:
		if (dns_address_parse(word, type == GATEWAY_IPV4 ? AF_INET :
		    AF_INET6, address, &w->why) == -1)
			return -1;
		return dns_rdata_put(w, address, type == GATEWAY_IPV4 ? 4 : 16);
	}
}

/* Octets of a gateway; -1 if it is not whole. */
static ssize_t
gateway_size(unsigned type, const uint8_t *at, size_t size)
{
	static const size_t sizes[] = { 0, 4, 16 };
	size_t length;

	if (type < COUNT_OF(sizes))
		return sizes[type] <= size ? (ssize_t)sizes[type] : -1;
	length = type == GATEWAY_NAME ? dns_name_check(at, size) : 0;
	return length > 0 ? (ssize_t)length : -1;
}

static void
print_gateway(unsigned type, const uint8_t *at, struct text *to)
{
	char text[DNS_NAME_TEXT];

	switch (type) {
	case GATEWAY_NONE:
		text_putc(to, '.');
		break;
	case GATEWAY_NAME:
		text_puts(to, dns_name_print(at, text));
		break;
	default:
		text_puts(to, inet_ntop(type == GATEWAY_IPV4 ? AF_INET :
		    AF_INET6, at, text, sizeof(text)));
		break;
	}
}

/* Behind the precedence: gateway type, algorithm, gateway, key. */
static int
parse_ipseckey(struct dns_rdata_writer *w, const struct dns_word *words,
    size_t count)
{
	int64_t type, algorithm;
	uint8_t octets[2];

	w->why = "unexpected end of input";
	w->bad = -1;
	if (count < 3)
		return -1;
	type = dns_number_parse(&words[0], 3);
	algorithm = dns_number_parse(&words[1], 255);
	w->why = "out of range";
	w->bad = type == -1 ? 0 : 1;
	if (type == -1 || algorithm == -1)
		return -1;
	octets[0] = type;
	octets[1] = algorithm;
	w->bad = 2;
	if (dns_rdata_put(w, octets, 2) == -1 ||
	    put_gateway(w, type, &words[2]) == -1)
		return -1;
	if (count == 3 && algorithm == 0)
		return 0;
	w->bad = count > 3 ? 3 : -1;
	w->why = "unexpected end of input";
	return count == 3 ? -1 : dns_rdata_put_base64(w, words + 3, count - 3);
}

static bool
check_ipseckey(const uint8_t *at, size_t size)
{
	ssize_t gateway = size >= 2 ? gateway_size(at[0], at + 2, size - 2) :
	    -1;

	return gateway != -1 && (at[1] == 0 || size > 2 + (size_t)gateway);
}

static void
print_ipseckey(const uint8_t *at, size_t size, struct text *to)
{
	size_t gateway = gateway_size(at[0], at + 2, size - 2);

	text_printf(to, "%u %u ", at[0], at[1]);
	print_gateway(at[0], at + 2, to);
	if (size > 2 + gateway) {
		text_putc(to, ' ');
		dns_base64_print(at + 2 + gateway, size - 2 - gateway, to);
	}
}

/* Behind the precedence: the discovery bit, the relay's type, the relay. */
static int
parse_amtrelay(struct dns_rdata_writer *w, const struct dns_word *words,
    size_t count)
{
	int64_t discovery, type;
	uint8_t octet;

	w->why = "unexpected end of input";
	w->bad = -1;
	if (count < 3)
		return -1;
	discovery = dns_number_parse(&words[0], 1);
	type = dns_number_parse(&words[1], 127);
	w->why = "out of range";
	w->bad = discovery == -1 ? 0 : 1;
	if (discovery == -1 || type == -1)
		return -1;
	w->why = "not implemented";
	if (type > GATEWAY_NAME)
		return -1;
	octet = discovery << 7 | type;
	w->bad = 2;
	if (dns_rdata_put(w, &octet, 1) == -1 ||
	    put_gateway(w, type, &words[2]) == -1)
		return -1;
	w->why = "extra input text";
	w->bad = 3;
	return count == 3 ? 0 : -1;
}

static bool
check_amtrelay(const uint8_t *at, size_t size)
{
	return size >= 1 && (size_t)gateway_size(at[0] & 0x7f, at + 1,
	    size - 1) == size - 1;
}

static void
print_amtrelay(const uint8_t *at, size_t size, struct text *to)
{
	text_printf(to, "%u %u ", at[0] >> 7, at[0] & 0x7f);
	print_gateway(at[0] & 0x7f, at + 1, to);
}

/* Host identity (RFC 8005): algorithm, identity tag, key in one word, servers */

static int
parse_hip(struct dns_rdata_writer *w, const struct dns_word *words,
    size_t count)
{
	int64_t algorithm;
	uint8_t tag[255], head[4];
	size_t start = w->used;
	ssize_t length;

	w->why = "unexpected end of input";
	w->bad = -1;
	if (count < 3)
		return -1;
	algorithm = dns_number_parse(&words[0], 255);
	w->why = "out of range";
	w->bad = 0;
	if (algorithm == -1)
		return -1;
	w->why = "bad hex encoding";
	w->bad = 1;
	length = words[1].length <= 2 * sizeof(tag) ?
	    dns_hex_decode(words[1].text, words[1].length, tag) : -1;
	if (length <= 0)
		return -1;
	head[0] = length;
	head[1] = algorithm;
	w->bad = 2;
	if (dns_rdata_put(w, head, 4) == -1 ||
	    dns_rdata_put(w, tag, length) == -1 ||
	    dns_rdata_put_base64(w, words + 2, 1) == -1)
		return -1;
	length = w->used - start - 4 - length;
	w->rdata[start + 2] = length >> 8;
	w->rdata[start + 3] = length & 0xff;
	for (w->bad = 3; w->bad < (int)count; w->bad++)
		if (dns_rdata_put_name(w, &words[w->bad]) == -1)
			return -1;
	return 0;
}

static bool
check_hip(const uint8_t *at, size_t size)
{
	size_t tag = size >= 4 ? at[0] : 0;
	size_t key = size >= 4 ? at[2] << 8 | at[3] : 0;

	if (tag == 0 || key == 0 || size < 4 + tag + key)
		return false;
	at += 4 + tag + key;
	size -= 4 + tag + key;
	while (size > 0) {
		size_t name = dns_name_check(at, size);

		if (name == 0)
			return false;
		at += name;
		size -= name;
	}
	return true;
}

static void
print_hip(const uint8_t *at, size_t size, struct text *to)
{
	size_t tag = at[0], key = at[2] << 8 | at[3], next = 4 + tag + key;
	char name[DNS_NAME_TEXT];

	text_printf(to, "%u ", at[1]);
	for (size_t i = 0; i < tag; i++)
		text_printf(to, "%02X", at[4 + i]);
	text_putc(to, ' ');
	dns_base64_print(at + 4 + tag, key, to);
	for (; next < size; next += dns_name_length(at + next))
		text_printf(to, " %s", dns_name_print(at + next, name));
}

const struct dns_form dns_forms_of_gateways[] = {
	{ 'P', parse_prefixes, check_prefixes, print_prefixes },
	{ 'W', parse_services, check_services, print_services },
	{ 'A', parse_a6, check_a6, print_a6 },
	{ 'I', parse_ipseckey, check_ipseckey, print_ipseckey },
	{ 'R', parse_amtrelay, check_amtrelay, print_amtrelay },
	{ 'h', parse_hip, check_hip, print_hip },
	{ '\0', NULL, NULL, NULL },
};
