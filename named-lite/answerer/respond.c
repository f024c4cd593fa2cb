#include "named-lite/answerer/respond.h"

#include <string.h>
#include <time.h>

#include "base/base.h"
#include "dns/tsig.h"
#include "named-lite/report.h"
#include "named-lite/sockets.h"
#include "named-lite/answerer/transfer.h"

/* A request with who signed it. */
struct request {
	struct server *server;
	struct question *question;
	const struct sockaddr *client;
	struct dns_tsig tsig;
	bool	 is_signed;
};

static void
print_client(const struct request *r, char text[SOCKETS_TEXT])
{
	struct control_address address;

	memset(&address, 0, sizeof(address));
	memcpy(&address.socket, r->client, r->client->sa_family == AF_INET ?
	    sizeof(address.socket.four) : sizeof(address.socket.six));
	sockets_print(&address, text);
}

/* An answer of a header and the question alone. */
static size_t
write_bare(const struct request *r, uint16_t flags, uint16_t rcode,
    uint8_t *out)
{
	const struct dns_query *query = &r->question->query;

	memset(out, 0, DNS_HEADER_SIZE);
	memcpy(out + DNS_HEADER_SIZE, r->question->bytes + DNS_HEADER_SIZE,
	    query->end - DNS_HEADER_SIZE);
	dns_put16(out, query->id);
	dns_put16(out + 2, DNS_QR | flags | rcode |
	    (query->flags & (DNS_OPCODE | DNS_RD)));
	dns_put16(out + 4, query->name_length > 0);
	return query->end;
}

/* The zone of ours that a request names: its row, NULL if it is none. */
static const struct plan_zone *
find_zone(const struct request *r)
{
	const struct generation *now = r->server->current;
	const struct image_node *node;
	unsigned skipped;
	place found;

	if (r->question->verdict != DNS_ANSWER ||
	    r->question->query.class != DNS_CLASS_IN)
		return NULL;
	found = image_find(&now->image, &r->question->path, &skipped);
	node = image_at(&now->image, found);
	if (found == 0 || skipped > 0 || (node->flags & NODE_IS_APEX) == 0)
		return NULL;
	return &now->plan.zones[node->zone];
}

/* Notifies */

static bool
is_primary(const struct request *r, const struct plan_zone *zone)
{
	const struct plan *plan = &r->server->current->plan;
	const struct plan_remote *remote = plan->remotes +
	    zone->primaries.first;

	for (uint32_t i = 0; i < zone->primaries.count; i++, remote++) {
		const union control_socket *a = &remote->address;
		const union control_socket *b =
		    (const union control_socket *)(const void *)r->client;

		if (a->any.sa_family == b->any.sa_family &&
		    (a->any.sa_family == AF_INET ?
		    a->four.sin_addr.s_addr == b->four.sin_addr.s_addr :
		    IN6_ARE_ADDR_EQUAL(&a->six.sin6_addr, &b->six.sin6_addr)))
			return true;
	}
	return false;
}

/* What a secondary is told it asks for itself: the envoy does. 0: nobody concerned. */
static size_t
take_notify(const struct request *r, uint8_t *out)
{
	const struct plan_zone *zone = find_zone(r);
	struct control_notice notice;
	char text[SOCKETS_TEXT];

	if (zone == NULL || zone->type != ZONE_SECONDARY ||
	    r->question->query.type != DNS_TYPE_SOA)
		return 0;
	if (!is_primary(r, zone) && !image_acl_allows_key(&r->server->image,
	    zone->allow_notify, r->client, r->question->key)) {
		print_client(r, text);
		report(LOG_CATEGORY_NOTIFY, LOG_LEVEL_INFO,
		    "client %s: refused notify from non-primary", text);
		return write_bare(r, 0, DNS_REFUSED, out);
	}
	memset(&notice, 0, sizeof(notice));
	notice.apex = zone->apex;
	memcpy(&notice.from, r->client, r->client->sa_family == AF_INET ?
	    sizeof(notice.from.four) : sizeof(notice.from.six));
	(void)send(r->server->notices, &notice, sizeof(notice),
	    MSG_DONTWAIT | MSG_NOSIGNAL);
	return write_bare(r, DNS_AA, DNS_NOERROR, out);
}

/* Signatures */

/* Who signed? 0, or the rcode of an answer that is all there is to say. */
static unsigned
receive(struct request *r)
{
	struct question *question = r->question;
	const struct plan *plan = &r->server->current->plan;
	struct dns_tsig_record record;
	char text[SOCKETS_TEXT], name[DNS_NAME_TEXT];
	unsigned error;

	if (question->query.tsig_at == 0)
		return 0;
	if (!dns_tsig_read(&record, question->bytes, question->length,
	    question->query.tsig_at))
		return DNS_FORMERR;
	error = dns_tsig_receive(&r->tsig, plan->keys,
	    plan->header->tsig_key_count, question->bytes, &record,
	    time(NULL));
	if (error == DNS_FORMERR)
		return DNS_FORMERR;
	r->is_signed = true;
	if (error == 0) {
		question->key = r->tsig.key - plan->keys + 1;
		return 0;
	}
	print_client(r, text);
	report(LOG_CATEGORY_SECURITY, LOG_LEVEL_INFO,
	    "client %s: request has invalid signature: TSIG %s: tsig "
	    "verify failure (%s)", text,
	    dns_name_show(record.name.bytes, name),
	    dns_tsig_error_name(error));
	return DNS_NOTAUTH;
}

static size_t
write_answer(struct request *r, struct transfer **transfer, uint8_t *out,
    size_t size)
{
	const struct dns_query *query = &r->question->query;
	size_t length = 0;

	if (query->opcode == DNS_OPCODE_NOTIFY)
		length = take_notify(r, out);
	else if (transfer != NULL && query->opcode == DNS_OPCODE_QUERY &&
	    (query->type == DNS_TYPE_AXFR || query->type == DNS_TYPE_IXFR)) {
		switch (transfer_start(transfer, r->server, r->question,
		    r->client, r->question->key,
		    r->is_signed ? &r->tsig : NULL)) {
		case TRANSFER_STARTED:
			return 0;
		case TRANSFER_BUSY:
			return write_bare(r, 0, DNS_SERVFAIL, out);
		case TRANSFER_NOT_OURS:
			break;
		}
	}
	return length != 0 ? length : answer_write(r->question,
	    &r->server->image, r->client, transfer != NULL, out, size);
}

size_t
respond_write(struct server *server, struct question *question,
    const struct sockaddr *client, struct transfer **transfer,
    uint8_t *out, size_t size)
{
	struct request r = { .server = server, .question = question,
	    .client = client };
	unsigned rcode;
	size_t length;

	if (question->verdict == DNS_DROP ||
	    (server->image.header->blackhole != 0 && image_acl_allows(
	    &server->image, server->image.header->blackhole, client)))
		return 0;
	rcode = receive(&r);
	if (r.is_signed) {
		/* What the signature takes must be left by the answer. */
		size_t taken = r.tsig.name.length + r.tsig.algorithm.length +
		    26 + DNS_MAC_MAX + 6;
		size_t room = transfer != NULL ? size :
		    question->query.udp_size;

		size = (room < size ? room : size) - taken;
	}
	length = rcode != 0 ? write_bare(&r, 0, rcode, out) :
	    write_answer(&r, transfer, out, size);
	if (length > 0 && r.is_signed)
		length = dns_tsig_sign(&r.tsig, out, length, time(NULL));
	return length;
}
