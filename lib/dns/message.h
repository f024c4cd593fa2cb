/*
 * message - what travels: questions as a server reads them, records as
 * anybody reads them (RFC 1035 section 4, RFC 6891)
 */

#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/name.h"
#include "dns/types.h"

#define DNS_HEADER_SIZE	12
#define DNS_MESSAGE_MAX	65535
#define DNS_UDP_PLAIN	512	/* what fits without EDNS */

enum dns_flag {			/* octets 2 and 3 as one number */
	DNS_QR = 0x8000,
	DNS_OPCODE = 0x7800,
	DNS_AA = 0x0400,
	DNS_TC = 0x0200,
	DNS_RD = 0x0100,
	DNS_RA = 0x0080,
	DNS_AD = 0x0020,
	DNS_CD = 0x0010,
	DNS_RCODE = 0x000f,
};

enum dns_opcode {
	DNS_OPCODE_QUERY = 0,
	DNS_OPCODE_NOTIFY = 4,
	DNS_OPCODE_UPDATE = 5,
};

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_YXDOMAIN = 6,
	DNS_NOTAUTH = 9,
	DNS_BADVERS = 16,
	DNS_BADCOOKIE = 23,
};

enum dns_edns_option {
	DNS_OPTION_LLQ = 1,
	DNS_OPTION_NSID = 3,
	DNS_OPTION_CLIENT_SUBNET = 8,
	DNS_OPTION_EXPIRE = 9,
	DNS_OPTION_COOKIE = 10,
	DNS_OPTION_TCP_KEEPALIVE = 11,
	DNS_OPTION_PADDING = 12,
	DNS_OPTION_KEY_TAG = 14,
	DNS_OPTION_ERROR = 15,
	DNS_OPTION_CLIENT_TAG = 16,
	DNS_OPTION_SERVER_TAG = 17,
};

static inline uint16_t
dns_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t
dns_get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static inline void
dns_put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value & 0xff;
}

static inline void
dns_put32(uint8_t *at, uint32_t value)
{
	dns_put16(at, value >> 16);
	dns_put16(at + 2, value & 0xffff);
}

/* A request. The name stands uncompressed at octet 12 of the message. */
struct dns_query {
	uint16_t id;
	uint16_t flags;
	uint8_t	 opcode;
	uint8_t	 name_length;	/* 0: there is no question to repeat, and a cookie only if the verdict is DNS_ANSWER */
	uint16_t type;
	uint16_t class;
	size_t	 end;		/* octets of header and question */

	bool	 has_authority;		/* a record in that section, as in IXFR */
	size_t	 tsig_at;	/* where a signature begins, the last record; 0: there is none */
	bool	 has_edns;
	uint8_t	 edns_version;
	bool	 wants_dnssec;	/* the DO bit */
	uint16_t udp_size;	/* what the client takes: at least 512 */
	bool	 wants_nsid;
	bool	 wants_keepalive;	/* RFC 7828 */
	bool	 wants_padding;		/* RFC 7830 */
	uint8_t	 cookie_length;	/* 0: none; else 8 and, with a server's part, 16 to 40 */
	const uint8_t *cookie;	/* in the message */
	uint8_t	 subnet_length;	/* octets of an option that tells the client's network (RFC 7871); 0: none */
	const uint8_t *subnet;
};

enum dns_verdict {
	DNS_ANSWER,		/* a request in good order */
	DNS_REPLY_FORMERR,	/* as far as it was readable, *query is filled in */
	DNS_DROP,		/* not a request: no reply */
};

/* Read a request, all of it: whatever its counts promise must be there. */
enum dns_verdict dns_query_parse(struct dns_query *query,
	    const uint8_t *message, size_t length);

/* One record of a message. */
struct dns_record {
	struct dns_name	owner;
	uint16_t type;
	uint16_t class;
	uint32_t ttl;
	uint16_t length;	/* of the data */
	size_t	 data;		/* offset of the data in the message */
};

/* Read the record at *offset and move *offset behind it. False if it is not whole. */
bool	dns_record_read(struct dns_record *record, const uint8_t *message,
	    size_t length, size_t *offset);

/* Skip the question at *offset. */
bool	dns_question_skip(const uint8_t *message, size_t length,
	    size_t *offset);

#endif
