#include "named-lite/answerer/edns.h"

#include <string.h>
#include <time.h>

#include "base/base.h"
#include "named-lite/answerer/answer.h"
#include "named-lite/answerer/cookie.h"

#define OPT_SIZE	11
#define OPTION_HEAD	4
#define KEEPALIVE_SIZE	(OPTION_HEAD + 2)

/* Is the cookie one that this server, with any of its keys, made for this client? */
static bool
check_cookie(const struct edns *edns)
{
	const struct image_header *header = edns->image->header;
	const struct dns_query *query = edns->query;
	time_t now;

	if (query->cookie_length != COOKIE_SIZE)
		return false;
	now = time(NULL);
	if (header->cookie_secret_count == 0)
		return cookie_check(answer_cookie_key, query->cookie,
		    edns->client, now);
	for (uint32_t i = 0; i < header->cookie_secret_count; i++)
		if (cookie_check(header->cookie_secrets[i], query->cookie,
		    edns->client, now))
			return true;
	return false;
}

void
edns_init(struct edns *edns, const struct image *image,
    const struct dns_query *query, const struct sockaddr *client, bool is_tcp)
{
	*edns = (struct edns) { image, query, client, is_tcp, false };
	edns->has_cookie = check_cookie(edns);
}

/* NSID is said if there is one. */
static const uint8_t *
find_nsid(const struct edns *edns)
{
	place place = edns->image->header->server_id;

	return edns->query->wants_nsid && place != 0 ?
	    image_at(edns->image, place) : NULL;
}

static bool
gives_cookie(const struct edns *edns)
{
	return edns->query->cookie_length > 0 &&
	    edns->image->header->answer_cookie;
}

static bool
gives_keepalive(const struct edns *edns)
{
	return edns->is_tcp && edns->query->wants_keepalive;
}

size_t
edns_room(const struct edns *edns)
{
	const uint8_t *nsid = find_nsid(edns);
	size_t room = OPT_SIZE;

	if (!edns->query->has_edns)
		return 0;
	if (nsid != NULL)
		room += OPTION_HEAD + nsid[0];
	if (gives_cookie(edns))
		room += COOKIE_OPTION_SIZE;
	if (edns->query->subnet_length > 0)
		room += OPTION_HEAD + edns->query->subnet_length;
	if (gives_keepalive(edns))
		room += KEEPALIVE_SIZE;
	return room;
}

static size_t
put_option(uint8_t *to, uint16_t code, const uint8_t *octets, size_t length)
{
	dns_put16(to, code);
	dns_put16(to + 2, length);
	memcpy(to + OPTION_HEAD, octets, length);
	return OPTION_HEAD + length;
}

/* RFC 7830, for those who can be trusted not to be somebody else's victim. */
static bool
pads(const struct edns *edns)
{
	const struct image_header *header = edns->image->header;

	return edns->query->wants_padding && header->padding_block > 0 &&
	    (edns->is_tcp || edns->has_cookie) && image_acl_allows(edns->image,
	    header->padding_acl, edns->client);
}

static size_t
put_padding(const struct edns *edns, uint8_t *to, size_t used, size_t limit)
{
	size_t block = edns->image->header->padding_block;
	size_t octets = (block - (used + OPTION_HEAD) % block) % block;

	if (used + OPTION_HEAD > limit)
		return 0;
	if (octets > limit - used - OPTION_HEAD)
		octets = limit - used - OPTION_HEAD;
	dns_put16(to, DNS_OPTION_PADDING);
	dns_put16(to + 2, octets);
	memset(to + OPTION_HEAD, 0, octets);
	return OPTION_HEAD + octets;
}

/* The options, in BIND's order. */
static size_t
put_options(const struct edns *edns, uint8_t *to, size_t used, size_t limit)
{
	const struct image_header *header = edns->image->header;
	const uint8_t *nsid = find_nsid(edns);
	uint8_t tenths[2];
	size_t length = 0;

	if (nsid != NULL)
		length += put_option(to, DNS_OPTION_NSID, nsid + 1, nsid[0]);
	if (gives_cookie(edns))
		length += cookie_put(to + length,
		    header->cookie_secret_count > 0 ?
		    header->cookie_secrets[0] : answer_cookie_key,
		    edns->query->cookie, edns->client, time(NULL));
	/* Back as it came, with scope 0: our answers are the same for all networks. */
	if (edns->query->subnet_length > 0)
		length += put_option(to + length, DNS_OPTION_CLIENT_SUBNET,
		    edns->query->subnet, edns->query->subnet_length);
	if (gives_keepalive(edns)) {
		dns_put16(tenths, header->tcp_advertised_ms / 100);
		length += put_option(to + length, DNS_OPTION_TCP_KEEPALIVE,
		    tenths, sizeof(tenths));
	}
	if (pads(edns))
		length += put_padding(edns, to + length, used + length, limit);
	return length;
}

size_t
edns_put(const struct edns *edns, uint16_t rcode, uint8_t *out, size_t used,
    size_t limit)
{
	uint8_t *to = out + used;
	size_t options;

	if (!edns->query->has_edns)
		return 0;
	to[0] = 0;
	dns_put16(to + 1, DNS_TYPE_OPT);
	dns_put16(to + 3, edns->image->header->edns_size);
	to[5] = rcode >> 4;
	to[6] = 0;
	dns_put16(to + 7, edns->query->wants_dnssec ? 0x8000 : 0);
	options = put_options(edns, to + OPT_SIZE, used + OPT_SIZE, limit);
	dns_put16(to + 9, options);
	return OPT_SIZE + options;
}
