#include "named-lite/answerer/transfer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "named-lite/records.h"
#include "named-lite/reply.h"
#include "named-lite/report.h"
#include "named-lite/sockets.h"

#define MESSAGE_SIZE	16000	/* octets: so far compression pointers reach */

/* What comes next. */
enum stage { FIRST_SOA, ZONE_NODES, STEPS, LAST_SOA, ALL_SENT };

struct transfer {
	struct server *server;
	struct generation *generation;	/* held */
	const struct plan_zone *zone;
	const struct image_node *apex;
	const struct image_rrset *soa;
	char	 client[SOCKETS_TEXT];
	const char *kind;		/* "AXFR", "IXFR", "AXFR-style IXFR" */
	struct dns_tsig tsig;
	bool	 is_signed;
	bool	 has_one_answer;	/* a message */
	size_t	 size;			/* of a message that has several */
	uint16_t id, flags;
	uint8_t	 question[DNS_NAME_MAX + 4];
	size_t	 question_length;
	bool	 is_first;		/* message: it repeats the question */
	int64_t	 started_ms;
	unsigned messages, records;
	uint64_t octets;

	enum stage stage;
	const struct image_node *node;	/* ZONE_NODES */
	uint32_t nodes_left;
	const struct image_rrset *rrset;
	unsigned rrsets_left;
	size_t	 records_put;		/* of the node, when they go one by one */
	const struct history_step *step;	/* STEPS */
	size_t	 step_at;
};

static unsigned transfer_count;		/* under way in this process */

static const struct history_step *
step_from(const struct transfer *t, uint32_t serial)
{
	return history_find(&t->generation->history, t->zone->apex.bytes,
	    serial);
}

/* Do the steps from this serial number lead to what is served? */
static bool
has_way(const struct transfer *t, uint32_t serial)
{
	const struct history_step *step;
	unsigned count = 0;

	while (serial != t->zone->serial && count++ < HISTORY_STEPS_MAX) {
		step = step_from(t, serial);
		if (step == NULL)
			return false;
		serial = step->to;
	}
	return serial == t->zone->serial;
}

/* The client's serial number, in the authority section of an IXFR. False: FORMERR. */
static bool
read_serial(const struct question *question, uint32_t *serial)
{
	struct dns_record soa;
	struct dns_name name;
	size_t at = question->query.end;

	if (!dns_record_read(&soa, question->bytes, question->length, &at) ||
	    soa.type != DNS_TYPE_SOA)
		return false;
	at = soa.data;
	if (!dns_name_unpack(&name, question->bytes, question->length, &at) ||
	    !dns_name_unpack(&name, question->bytes, question->length, &at) ||
	    soa.data + soa.length < at + 20)
		return false;
	*serial = dns_get32(question->bytes + at);
	return true;
}

/* What the closest server statement says of the client, if it says so. */
static uint32_t
peer_says(const struct plan *plan, const struct sockaddr *client,
    size_t field, uint32_t otherwise)
{
	int best = -1;

	for (uint32_t i = 0; i < plan->header->peer_count; i++) {
		const struct plan_peer *peer = &plan->peers[i];
		uint32_t says;

		memcpy(&says, (const char *)peer + field, sizeof(says));
		if (says != UNSET && peer->prefix.prefix > best &&
		    acl_prefix_matches(&peer->prefix, client)) {
			best = peer->prefix.prefix;
			otherwise = says;
		}
	}
	return otherwise;
}

static void
choose_format(struct transfer *t, const struct sockaddr *client)
{
	const struct plan *plan = &t->generation->plan;

	t->has_one_answer = peer_says(plan, client,
	    offsetof(struct plan_peer, transfer_format),
	    plan->header->transfer_format) == TRANSFER_ONE_ANSWER;
	t->size = plan->header->transfer_message_size;
	if (t->size > MESSAGE_SIZE)
		t->size = MESSAGE_SIZE;
}

static void
choose_kind(struct transfer *t, const struct question *question,
    const struct sockaddr *client)
{
	const struct plan *plan = &t->generation->plan;
	uint32_t serial;

	t->kind = "AXFR";
	if (question->query.type == DNS_TYPE_AXFR ||
	    !read_serial(question, &serial))
		return;
	t->kind = "IXFR";
	if (!record_is_newer(t->zone->serial, serial)) {
		t->nodes_left = 0;
		t->stage = LAST_SOA;	/* the client has it: one SOA says so */
	} else if (peer_says(plan, client, offsetof(struct plan_peer,
	    provide_ixfr), plan->header->provide_ixfr) != 0 &&
	    has_way(t, serial))
		t->step = step_from(t, serial);
	else
		t->kind = "AXFR-style IXFR";
}

static void
keep_question(struct transfer *t, const struct question *question)
{
	t->id = question->query.id;
	t->flags = DNS_QR | DNS_AA;
	t->question_length = question->query.end - DNS_HEADER_SIZE;
	memcpy(t->question, question->bytes + DNS_HEADER_SIZE,
	    t->question_length);
	t->is_first = true;
}

/* The top of the zone that is asked for, if a transfer can answer; NULL if not. */
static const struct image_node *
find_apex(const struct generation *now, const struct question *question)
{
	const struct dns_query *query = &question->query;
	const struct image_node *apex;
	unsigned skipped;
	place found;

	if (question->verdict != DNS_ANSWER || query->class != DNS_CLASS_IN ||
	    (query->has_edns && query->edns_version != 0) ||
	    (query->type == DNS_TYPE_IXFR && !query->has_authority))
		return NULL;
	found = image_find(&now->image, &question->path, &skipped);
	apex = image_at(&now->image, found);
	return found != 0 && skipped == 0 && (apex->flags & NODE_IS_APEX) &&
	    !image_zone(&now->image, apex->zone)->is_broken ? apex : NULL;
}

/* May this client have it, and is there a turn for it? */
static enum transfer_verdict
judge(const struct generation *now, const struct plan_zone *zone,
    const struct question *question, const struct sockaddr *client,
    uint32_t key, const char *peer)
{
	if (!image_acl_allows_key(&now->image, zone->allow_transfer, client,
	    key)) {
		report(LOG_CATEGORY_SECURITY, LOG_LEVEL_ERROR,
		    "client %s: zone transfer '%s/%s/IN' denied", peer,
		    plan_string(&now->plan, zone->name),
		    question->query.type == DNS_TYPE_AXFR ? "AXFR" : "IXFR");
		return TRANSFER_NOT_OURS;
	}
	if (transfer_count >= now->plan.header->transfers_out) {
		report(LOG_CATEGORY_XFER_OUT, LOG_LEVEL_WARNING,
		    "client %s: zone transfer request denied: quota "
		    "reached", peer);
		return TRANSFER_BUSY;
	}
	return TRANSFER_STARTED;
}

static struct transfer *
new_transfer(struct server *server, const struct image_node *apex,
    const struct plan_zone *zone, const struct dns_tsig *tsig)
{
	struct transfer *t = mem_zalloc(1, sizeof(*t));

	transfer_count++;
	t->server = server;
	t->generation = generation_hold(server->current);
	t->zone = zone;
	t->apex = t->node = apex;
	t->soa = image_find_rrset(apex, DNS_TYPE_SOA);
	t->nodes_left = image_zone(&server->current->image,
	    apex->zone)->node_count;
	t->rrset = image_node_rrsets(apex);
	t->rrsets_left = apex->rrset_count;
	t->started_ms = server->now_ms;
	if (tsig != NULL) {
		t->tsig = *tsig;
		t->is_signed = true;
	}
	return t;
}

enum transfer_verdict
transfer_start(struct transfer **transfer, struct server *server,
    const struct question *question, const struct sockaddr *client,
    uint32_t key, const struct dns_tsig *tsig)
{
	const struct generation *now = server->current;
	const struct image_node *apex = find_apex(now, question);
	struct control_address address;
	const struct plan_zone *zone;
	enum transfer_verdict verdict;
	char peer[SOCKETS_TEXT];
	struct transfer *t;

	if (apex == NULL)
		return TRANSFER_NOT_OURS;
	memset(&address, 0, sizeof(address));
	memcpy(&address.socket, client, client->sa_family == AF_INET ?
	    sizeof(address.socket.four) : sizeof(address.socket.six));
	sockets_print(&address, peer);
	zone = &now->plan.zones[apex->zone];
	verdict = judge(now, zone, question, client, key, peer);
	if (verdict != TRANSFER_STARTED)
		return verdict;
	t = new_transfer(server, apex, zone, tsig);
	strlcpy(t->client, peer, sizeof(t->client));
	keep_question(t, question);
	choose_kind(t, question, client);
	choose_format(t, client);
	report(LOG_CATEGORY_XFER_OUT, LOG_LEVEL_INFO,
	    "client %s: transfer of '%s/IN': %s started (serial %u)",
	    t->client, plan_string(&now->plan, zone->name), t->kind,
	    zone->serial);
	*transfer = t;
	return TRANSFER_STARTED;
}

void
transfer_end(struct transfer **transfer)
{
	struct transfer *t = *transfer;
	int64_t spent;

	if (t == NULL)
		return;
	spent = clock_ms() - t->started_ms;
	report(LOG_CATEGORY_XFER_OUT, LOG_LEVEL_INFO,
	    "client %s: transfer of '%s/IN': %s %s: %u messages, %u "
	    "records, %llu bytes, %lld.%03d secs (serial %u)", t->client,
	    plan_string(&t->generation->plan, t->zone->name), t->kind,
	    t->stage == ALL_SENT ? "ended" : "aborted", t->messages,
	    t->records, (unsigned long long)t->octets,
	    (long long)spent / 1000, (int)(spent % 1000), t->zone->serial);
	dns_tsig_clear(&t->tsig);
	generation_release(&t->generation);
	transfer_count--;
	free(t);
	*transfer = NULL;
}

/* A message in the making */

static void
begin_message(struct transfer *t, struct reply *reply, uint8_t *out)
{
	memset(reply, 0, sizeof(*reply));
	reply->out = out;
	reply->used = DNS_HEADER_SIZE;
	reply->limit = t->has_one_answer ? 0 : t->size;	/* the first one always fits */
	memset(out, 0, DNS_HEADER_SIZE);
	dns_put16(out, t->id);
	dns_put16(out + 2, t->flags);
	if (!t->is_first)
		return;
	memcpy(out + reply->used, t->question, t->question_length);
	reply->used += t->question_length;
	reply->suffix_end = reply->used - 4;
	reply->zone_length = t->zone->apex.length;
	dns_put16(out + 4, 1);
}

static size_t
finish_message(struct transfer *t, struct reply *reply)
{
	size_t length = reply->used;

	dns_put16(reply->out + 6, reply->counts[SECTION_ANSWER]);
	t->is_first = false;
	t->messages++;
	t->records += reply->counts[SECTION_ANSWER];
	if (t->is_signed)
		length = dns_tsig_sign(&t->tsig, reply->out, length,
		    time(NULL));
	t->octets += length;
	return length;
}

/* One that is alone in its message may be as large as messages get. */
static bool
put_rrset(struct transfer *t, struct reply *reply,
    const struct image_node *node, const struct image_rrset *rrset)
{
	size_t before = reply->limit;
	bool put;

	if (reply->counts[SECTION_ANSWER] == 0)
		reply->limit = DNS_MESSAGE_MAX - DNS_TSIG_MAX;
	reply->zone_length = reply->suffix_end != 0 ? t->zone->apex.length : 0;
	put = reply_add(reply, SECTION_ANSWER, rrset, 0,
	    image_node_name(node));
	reply->limit = before;
	return put;
}

/* A record by itself, without any compression. */
static bool
put_record(struct reply *reply, const struct record *record)
{
	size_t name = dns_name_length(record->owner);
	size_t limit = reply->counts[SECTION_ANSWER] == 0 ?
	    DNS_MESSAGE_MAX - DNS_TSIG_MAX : reply->limit;
	uint8_t *to = reply->out + reply->used;

	if (reply->used + name + 10 + record->length > limit)
		return false;
	memcpy(to, record->owner, name);
	to += name;
	dns_put16(to, record->type);
	dns_put16(to + 2, DNS_CLASS_IN);
	dns_put32(to + 4, record->ttl);
	dns_put16(to + 8, record->length);
	memcpy(to + 10, record->rdata, record->length);
	reply->used += name + 10 + record->length;
	reply->counts[SECTION_ANSWER]++;
	return true;
}

/* The record of a node that is next, its SOA not counted. */
struct pick {
	size_t	 skip;
	struct reply *reply;
	bool	 is_there;
	bool	 is_put;
};

static void
pick_record(void *argument, const struct record *record)
{
	struct pick *pick = argument;

	if (record->type == DNS_TYPE_SOA || pick->is_there ||
	    pick->skip-- > 0)
		return;
	pick->is_there = true;
	pick->is_put = put_record(pick->reply, record);
}

/* Does the message have no more room, or is what was to be written in it? */
enum progress { FULL, DONE };

/* One record a message, as servers of old want it. */
static enum progress
put_single(struct transfer *t, struct reply *reply)
{
	while (t->nodes_left > 0) {
		struct pick pick = { t->records_put, reply, false, false };

		records_of_node(t->node, pick_record, &pick);
		if (pick.is_put)
			t->records_put++;
		if (pick.is_there)
			return FULL;
		t->records_put = 0;
		if (--t->nodes_left > 0)
			t->node = image_node_next(t->node);
	}
	return DONE;
}

static enum progress
put_nodes(struct transfer *t, struct reply *reply)
{
	for (;;) {
		while (t->rrsets_left > 0) {
			if (t->rrset != t->soa &&
			    !put_rrset(t, reply, t->node, t->rrset))
				return FULL;
			t->rrset = image_rrset_next(t->rrset);
			t->rrsets_left--;
		}
		if (--t->nodes_left == 0)
			return DONE;
		t->node = image_node_next(t->node);
		t->rrset = image_node_rrsets(t->node);
		t->rrsets_left = t->node->rrset_count;
	}
}

static enum progress
put_steps(struct transfer *t, struct reply *reply)
{
	while (t->step != NULL) {
		const uint8_t *records = (const uint8_t *)(t->step + 1);
		size_t before = t->step_at;
		struct record record;

		while (record_next(&record, records, t->step->length,
		    &t->step_at) == 1) {
			if (!put_record(reply, &record)) {
				t->step_at = before;
				return FULL;
			}
			before = t->step_at;
		}
		t->step_at = 0;
		t->step = t->step->to == t->zone->serial ? NULL :
		    step_from(t, t->step->to);
	}
	return DONE;
}

/* One stage, or as much of it as there is room for. */
static enum progress
put_stage(struct transfer *t, struct reply *reply)
{
	switch (t->stage) {
	case FIRST_SOA:
		if (!put_rrset(t, reply, t->apex, t->soa))
			return FULL;
		t->stage = t->step != NULL ? STEPS : ZONE_NODES;
		return DONE;
	case ZONE_NODES:
		if ((t->has_one_answer ? put_single(t, reply) :
		    put_nodes(t, reply)) == FULL)
			return FULL;
		t->stage = LAST_SOA;
		return DONE;
	case STEPS:
		if (put_steps(t, reply) == FULL)
			return FULL;
		t->stage = LAST_SOA;
		return DONE;
	case LAST_SOA:
		if (!put_rrset(t, reply, t->apex, t->soa))
			return FULL;
		t->stage = ALL_SENT;
		return DONE;
	default:
		return DONE;
	}
}

size_t
transfer_next(struct transfer *t, uint8_t *out, bool *failed)
{
	int64_t most_ms = (int64_t)t->zone->max_time_out * 1000;
	struct reply reply;

	*failed = most_ms > 0 && clock_ms() - t->started_ms > most_ms;
	if (t->stage == ALL_SENT || *failed)
		return 0;
	begin_message(t, &reply, out);
	while (t->stage != ALL_SENT && put_stage(t, &reply) == DONE)
		;
	if (reply.counts[SECTION_ANSWER] == 0) {
		report(LOG_CATEGORY_XFER_OUT, LOG_LEVEL_ERROR,
		    "client %s: transfer of '%s/IN': an RRset is too "
		    "large for any message", t->client,
		    plan_string(&t->generation->plan, t->zone->name));
		*failed = true;
		return 0;
	}
	return finish_message(t, &reply);
}
