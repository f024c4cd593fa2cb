/* mnemonics - numbers that master files may name: DNSSEC algorithms, digests, certificates, flags and protocols of keys */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "dns/internal.h"
#include "dns/rdata.h"
#include "dns/types.h"

struct mnemonic {
	const char *name;
	unsigned number;
};

static const struct mnemonic algorithms[] = {
	{ "RSAMD5", 1 }, { "DH", 2 }, { "DSA", 3 }, { "RSASHA1", 5 },
	{ "NSEC3DSA", 6 }, { "NSEC3RSASHA1", 7 }, { "RSASHA256", 8 },
	{ "RSASHA512", 10 }, { "ECCGOST", 12 }, { "ECDSAP256SHA256", 13 },
	{ "ECDSAP384SHA384", 14 }, { "ED25519", 15 }, { "ED448", 16 },
	{ "INDIRECT", 252 }, { "PRIVATEDNS", 253 }, { "PRIVATEOID", 254 },
	{ NULL, 255 },
};

static const struct mnemonic digests[] = {
	{ "SHA-1", 1 }, { "SHA1", 1 }, { "SHA-256", 2 }, { "SHA256", 2 },
	{ "GOST", 3 }, { "SHA-384", 4 }, { "SHA384", 4 }, { NULL, 255 },
};

static const struct mnemonic certificates[] = {
	{ "PKIX", 1 }, { "SPKI", 2 }, { "PGP", 3 }, { "IPKIX", 4 },
	{ "ISPKI", 5 }, { "IPGP", 6 }, { "ACPKIX", 7 }, { "IACPKIX", 8 },
	{ "URI", 253 }, { "OID", 254 }, { NULL, 65535 },
};

static const struct mnemonic protocols[] = {
	{ "NONE", 0 }, { "TLS", 1 }, { "EMAIL", 2 }, { "DNSSEC", 3 },
	{ "IPSEC", 4 }, { "ALL", 255 }, { NULL, 255 },
};

/* Joined by "|" (RFC 2535 section 7.1). */
static const struct mnemonic flags[] = {
	{ "NOCONF", 0x4000 }, { "NOAUTH", 0x8000 }, { "NOKEY", 0xc000 },
	{ "FLAG2", 0x2000 }, { "EXTEND", 0x1000 }, { "FLAG4", 0x0800 },
	{ "FLAG5", 0x0400 }, { "USER", 0 }, { "ZONE", 0x0100 },
	{ "HOST", 0x0200 }, { "NTYP3", 0x0300 }, { "FLAG8", 0x0080 },
	{ "REVOKE", 0x0080 }, { "FLAG9", 0x0040 }, { "FLAG10", 0x0020 },
	{ "FLAG11", 0x0010 }, { "SIG0", 0 }, { "SIG1", 1 }, { "KSK", 1 },
	{ "SIG2", 2 }, { "SIG3", 3 }, { "SIG4", 4 }, { "SIG5", 5 },
	{ "SIG6", 6 }, { "SIG7", 7 }, { "SIG8", 8 }, { "SIG9", 9 },
	{ "SIG10", 10 }, { "SIG11", 11 }, { "SIG12", 12 }, { "SIG13", 13 },
	{ "SIG14", 14 }, { "SIG15", 15 }, { NULL, 65535 },
};

static const struct mnemonic *
table_of(char field)
{
	switch (field) {
	case 'y':
		return certificates;
	case 'f':
		return flags;
	case 'p':
		return protocols;
	case 'd':
		return digests;
	default:
		return algorithms;
	}
}

/* A name, or a number up to the one at the table's end; -1 if neither. */
static int64_t
find(const struct mnemonic *table, const char *text, size_t length)
{
	struct dns_word word = { text, length, false };
	const struct mnemonic *row = table;

	for (; row->name != NULL; row++)
		if (strlen(row->name) == length &&
		    strncasecmp(text, row->name, length) == 0)
			return row->number;
	if (table == flags && length > 2 && length < 8 &&
	    strncasecmp(text, "0x", 2) == 0) {
		char number[8] = { 0 };

		memcpy(number, text, length);
		return strtol(number, NULL, 16) & 0xffff;
	}
	return dns_number_parse(&word, row->number);
}

int64_t
dns_mnemonic_parse(char field, const struct dns_word *word, const char **why)
{
	const struct mnemonic *table = table_of(field);
	const char *at = word->text, *end = at + word->length;
	int64_t value = 0;

	*why = word->length > 0 && *at >= '0' && *at <= '9' ? "out of range" :
	    "unknown class/type";
	while (at <= end) {
		const char *bar = table == flags ? memchr(at, '|', end - at) :
		    NULL;
		int64_t part = find(table, at, (bar != NULL ? bar : end) - at);

		if (part == -1)
			return -1;
		value |= part;
		at = bar != NULL ? bar + 1 : end + 1;
	}
	return value;
}

void
dns_mnemonic_print(char field, unsigned number, struct text *to)
{
	const struct mnemonic *row = table_of(field);

	while (row->name != NULL && row->number != number)
		row++;
	if (row->name != NULL)
		text_puts(to, row->name);
	else
		text_printf(to, "%u", number);
}

/* RFC 4034 appendix B. */
static unsigned
key_id(const uint8_t *rdata, size_t length)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 == 0 ? rdata[i] << 8 : rdata[i];
	return (sum + (sum >> 16)) & 0xffff;
}

void
dns_key_remark(uint16_t type, const uint8_t *rdata, size_t length,
    struct text *to)
{
	bool is_of_zone = type == DNS_TYPE_DNSKEY || type == DNS_TYPE_CDNSKEY;

	if (length < 4)
		return;
	text_puts(to, !is_of_zone ? "; alg = " : rdata[1] & 1 ?
	    " ; KSK; alg = " : " ; ZSK; alg = ");
	dns_mnemonic_print('Y', rdata[3], to);
	text_printf(to, " ; key id = %u", key_id(rdata, length));
}
