#include "named-lite/answerer/answer.h"

#include <string.h>
#include <time.h>

#include "base/base.h"
#include "named-lite/answerer/edns.h"
#include "named-lite/answerer/rate.h"
#include "named-lite/reply.h"
#include "named-lite/answerer/search.h"

#define NAME_AT		DNS_HEADER_SIZE

uint8_t answer_cookie_key[COOKIE_KEY_SIZE];

void
answer_read(struct question *question, const struct image *image,
    const uint8_t *bytes, size_t length)
{
	question->bytes = bytes;
	question->length = length;
	question->key = 0;
	question->verdict = dns_query_parse(&question->query, bytes, length);
	if (question->verdict == DNS_DROP || question->query.name_length == 0)
		return;
	zone_path_init(&question->path, image->header->seed,
	    bytes + DNS_HEADER_SIZE, question->query.name_length);
	image_prefetch(image, &question->path);
}

static bool
is_apex(const struct search *s)
{
	return s->zone->apex_length == s->query->name_length;
}

/* Transfers are of whole zones. */
static bool
may_transfer(struct search *s)
{
	if (!search_enter_zone(s, DNS_NOTAUTH))
		return false;
	if (!is_apex(s))
		s->reply->rcode = DNS_NOTAUTH;
	return is_apex(s);
}

/* What is not looked up by its type. True: done. */
static bool
answer_special(struct search *s)
{
	struct reply *reply = s->reply;

	switch (s->query->type) {
	case DNS_TYPE_AXFR:
		if (!s->is_tcp)
			reply->rcode = DNS_FORMERR;
		else if (may_transfer(s))
			reply->rcode = DNS_REFUSED;
		return true;
	case DNS_TYPE_IXFR:
		if (!may_transfer(s))
			return true;
		if (!s->query->has_authority)
			reply->rcode = DNS_FORMERR;
		else if (s->is_tcp)
			reply->rcode = DNS_REFUSED;
		else {
			s->type = DNS_TYPE_SOA;	/* RFC 1995 section 2: come by TCP */
			return false;
		}
		return true;
	case DNS_TYPE_MAILA:
	case DNS_TYPE_MAILB:
		reply->rcode = DNS_NOTIMP;
		return true;
	case DNS_TYPE_ANY:
		return false;
	default:
		if (dns_type_is_data(s->query->type) || s->query->type == 0)
			return false;
		reply->rcode = DNS_FORMERR;
		return true;
	}
}

static void
answer_internet(struct search *s)
{
	if (answer_special(s) || !search_enter_zone(s, DNS_REFUSED))
		return;
	search_answer(s);
}

/* CH TXT: version.bind and hostname.bind (RFC 4892 section 2). */
static void
answer_chaos(struct search *s)
{
	static const struct {
		const char *name;
		size_t	 offset;
	} names[] = {
		{ "\7version\4bind", offsetof(struct image_header, version) },
		{ "\10hostname\4bind", offsetof(struct image_header, hostname) },
		{ "\2id\6server", offsetof(struct image_header, server_id) },
	};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		size_t length = strlen(names[i].name) + 1;
		const uint8_t *text;
		place place;

		if (s->query->name_length != length ||
		    memcmp(s->path->name, names[i].name, length) != 0)
			continue;
		s->reply->flags |= DNS_AA;
		memcpy(&place, s->image->base + names[i].offset, sizeof(place));
		text = image_at(s->image, place);
		if (place != 0 && (s->type == DNS_TYPE_TXT ||
		    s->type == DNS_TYPE_ANY))
			reply_add_record(s->reply, SECTION_ANSWER, NAME_AT,
			    DNS_TYPE_TXT, DNS_CLASS_CH, 0, text, 1 + text[0]);
		return;
	}
	s->reply->rcode = dns_type_is_data(s->type) || s->type == 0 ||
	    s->type == DNS_TYPE_ANY ? DNS_REFUSED : DNS_FORMERR;
}

static void
answer_query(struct search *s)
{
	switch (s->query->class) {
	case DNS_CLASS_IN:
		answer_internet(s);
		break;
	case DNS_CLASS_CH:
		answer_chaos(s);
		break;
	case DNS_CLASS_HS:
		s->reply->rcode = DNS_REFUSED;
		break;
	default:
		s->reply->rcode = DNS_NOTIMP;
		break;
	}
}

/* NOTIFY and UPDATE name a zone where a query has its question. */
static void
answer_about_zone(struct search *s)
{
	struct reply *reply = s->reply;
	bool served;

	if (s->query->class != DNS_CLASS_IN) {
		reply->rcode = s->query->class == DNS_CLASS_HS ? DNS_REFUSED :
		    DNS_NOTIMP;
		return;
	}
	served = search_enter_zone(s, DNS_NOTAUTH);
	if (s->type != DNS_TYPE_SOA)
		reply->rcode = DNS_FORMERR;
	else if (reply->rcode == DNS_NOTAUTH || !is_apex(s))
		reply->rcode = DNS_NOTAUTH;
	else if (s->query->opcode == DNS_OPCODE_NOTIFY) {
		/* We are the primary: there is nothing to fetch. */
		reply->rcode = DNS_NOERROR;
		reply->flags |= DNS_AA;
	} else if (served)
		reply->rcode = DNS_REFUSED;
}

static bool
is_about_zone(const struct search *s)
{
	return s->query->opcode == DNS_OPCODE_NOTIFY ||
	    s->query->opcode == DNS_OPCODE_UPDATE;
}

/* No question can be of these classes; of class 0, or one for keys, an opcode that we do not know might be. */
static bool
is_class_wrong(const struct search *s, bool is_known)
{
	const struct dns_query *query = s->query;

	return query->name_length > 0 && ((query->class == 0 && is_known) ||
	    query->class == DNS_CLASS_NONE || (query->class == DNS_CLASS_ANY &&
	    (is_known || query->type != DNS_TYPE_TKEY)));
}

static void
put_header(struct reply *reply, const struct dns_query *query, bool question)
{
	uint8_t *out = reply->out;
	uint16_t kept = DNS_OPCODE;

	if (query->opcode == DNS_OPCODE_QUERY)
		kept |= DNS_RD | DNS_CD;
	dns_put16(out, query->id);
	dns_put16(out + 2, DNS_QR | (query->flags & kept) | reply->flags |
	    (reply->rcode & DNS_RCODE));
	dns_put16(out + 4, question);
	for (int i = 0; i < SECTIONS; i++)
		dns_put16(out + 6 + 2 * i, reply->counts[i]);
}

static size_t
reply_limit(const struct search *s, const struct edns *edns, size_t size)
{
	const struct image_header *header = s->image->header;
	size_t limit = DNS_MESSAGE_MAX;

	if (!s->is_tcp) {
		limit = s->query->udp_size;
		if (limit > header->udp_max)
			limit = header->udp_max;
		if (limit > header->nocookie_udp_max && !edns->has_cookie)
			limit = header->nocookie_udp_max;
	}
	return limit < size ? limit : size;
}

/* Whoever knows of cookies must show one of ours, if we insist (RFC 7873 section 5.2.3). */
static bool
lacks_cookie(const struct search *s, const struct edns *edns)
{
	return s->image->header->require_server_cookie && !s->is_tcp &&
	    s->query->cookie_length > 0 && !edns->has_cookie &&
	    s->query->name_length > 0;
}

static void
answer(struct search *s, const struct edns *edns, enum dns_verdict verdict)
{
	const struct dns_query *query = s->query;
	bool is_query = query->opcode == DNS_OPCODE_QUERY;
	bool is_known = is_query || is_about_zone(s);

	if (!is_known)
		s->reply->used = DNS_HEADER_SIZE;	/* without its question */
	if (verdict == DNS_REPLY_FORMERR)
		s->reply->rcode = DNS_FORMERR;
	else if (query->has_edns && query->edns_version != 0)
		s->reply->rcode = DNS_BADVERS;
	else if (is_class_wrong(s, is_known))
		s->reply->rcode = DNS_FORMERR;
	else if (!is_known)
		s->reply->rcode = DNS_NOTIMP;
	else if (!is_query)
		answer_about_zone(s);
	else if (lacks_cookie(s, edns))
		s->reply->rcode = DNS_BADCOOKIE;
	else if (query->name_length > 0)
		answer_query(s);
	else if (!s->image->header->answer_cookie)
		s->reply->rcode = DNS_FORMERR;	/* nothing else was asked for */
}

static enum rate_kind
kind_of(const struct search *s)
{
	const struct reply *reply = s->reply;

	if (reply->rcode == DNS_NXDOMAIN)
		return RATE_NXDOMAINS;
	if (reply->rcode != DNS_NOERROR)
		return RATE_ERRORS;
	if (reply->counts[SECTION_ANSWER] > 0)
		return RATE_RESPONSES;
	return reply->flags & DNS_AA ? RATE_NODATA : RATE_REFERRALS;
}

/* Whoever has a cookie of ours is who he says, and a connection shows it, too. */
static enum rate_verdict
check_rate(const struct search *s, const struct edns *edns)
{
	struct rate_answer answer = { kind_of(s), s->query->type, s->subject };

	if (!s->image->header->rate_limit.is_on || s->is_tcp ||
	    edns->has_cookie)
		return RATE_SEND;
	return rate_check(s->image, &answer, s->client, time(NULL));
}

/* Less than was asked: come by TCP, or, who knows of cookies, with one. */
static void
cut_short(struct search *s)
{
	struct reply *reply = s->reply;

	reply->used = s->query->end;
	memset(reply->counts, 0, sizeof(reply->counts));
	reply->flags = DNS_TC;
	if (s->query->cookie_length > 0 &&
	    s->image->header->answer_cookie) {
		reply->flags = 0;
		reply->rcode = DNS_BADCOOKIE;
	}
}

/* An empty reply to the question, and a search that has not begun. */
static void
begin(struct search *s, struct reply *reply, const struct question *question,
    uint8_t *out)
{
	const struct dns_query *query = &question->query;

	reply->out = out;
	reply->used = query->end;
	reply->flags = reply->rcode = 0;
	memset(reply->counts, 0, sizeof(reply->counts));
	reply->suffix_end = NAME_AT + query->name_length;
	reply->rotation = query->id;
	reply->zone_length = 0;
	reply->rrset_count = 0;
	reply->has_signatures = query->wants_dnssec;
	s->query = query;
	s->reply = reply;
	s->key = question->key;
	s->type = query->type;
	s->path = &question->path;
	s->name = question->bytes + DNS_HEADER_SIZE;
	s->name_at = NAME_AT;
	s->steps = 0;
	s->subject = 0;
	s->pending_count = 0;
	memcpy(out, question->bytes, query->end);
}

size_t
answer_write(const struct question *question, const struct image *image,
    const struct sockaddr *client, bool is_tcp, uint8_t *out, size_t size)
{
	const struct dns_query *query = &question->query;
	struct reply reply;
	struct search s;
	struct edns edns;
	size_t limit, room;

	if (question->verdict == DNS_DROP || (image->header->blackhole != 0 &&
	    image_acl_allows(image, image->header->blackhole, client)))
		return 0;
	edns_init(&edns, image, query, client, is_tcp);
	begin(&s, &reply, question, out);
	s.image = image;
	s.client = client;
	s.local = question->local;
	s.is_tcp = is_tcp;
	limit = reply_limit(&s, &edns, size);
	room = edns_room(&edns);
	reply.limit = limit > reply.used + room ? limit - room : reply.used;
	answer(&s, &edns, question->verdict);
	switch (check_rate(&s, &edns)) {
	case RATE_SEND:
		break;
	case RATE_SLIP:
		cut_short(&s);
		break;
	case RATE_DROP:
		return 0;
	}

	bool has_question = reply.used > DNS_HEADER_SIZE;

	if (query->has_edns)
		reply.counts[SECTION_ADDITIONAL]++;
	reply.used += edns_put(&edns, reply.rcode, out, reply.used, limit);
	put_header(&reply, query, has_question);
	return reply.used;
}
