#include "named-lite/envoy/notify.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "named-lite/envoy/exchange.h"
#include "named-lite/envoy/office.h"
#include "named-lite/records.h"
#include "named-lite/report.h"
#include "named-lite/revive.h"
#include "named-lite/sockets.h"
#include "resolve/resolve.h"

/* A zone and one whom to tell of it. */
struct telling {
	TAILQ_ENTRY(telling) link;
	struct dns_name apex;
	union control_socket to;
	union control_socket source;
	uint32_t key;			/* its number in the plan of now */
	char	 text[SOCKETS_TEXT];
	struct exchange *exchange;	/* under way, else it waits */
	int64_t	 not_before_ms;
};

static TAILQ_HEAD(, telling) tellings = TAILQ_HEAD_INITIALIZER(tellings);
static struct event *timer;
static struct resolver *resolver;
static bool is_startup = true;

static void
drop(struct telling *telling)
{
	TAILQ_REMOVE(&tellings, telling, link);
	exchange_cancel(&telling->exchange);
	free(telling);
}

static void
on_reply(void *argument, const uint8_t *reply, size_t length, const char *why)
{
	struct telling *telling = argument;
	char name[DNS_NAME_TEXT];

	telling->exchange = NULL;
	dns_name_show(telling->apex.bytes, name);
	if (reply == NULL)
		report(LOG_CATEGORY_NOTIFY, LOG_LEVEL_INFO,
		    "zone %s/IN: notify to %s failed: %s", name,
		    telling->text, why);
	else if ((dns_get16(reply + 2) & DNS_RCODE) != 0)
		report(LOG_CATEGORY_NOTIFY, LOG_LEVEL_INFO,
		    "zone %s/IN: notify response from %s: %s", name,
		    telling->text, exchange_rcode(dns_get16(reply + 2) &
		    DNS_RCODE));
	drop(telling);
}

static void
tell(struct telling *telling)
{
	telling->exchange = exchange_start(&telling->apex, DNS_TYPE_SOA,
	    DNS_OPCODE_NOTIFY << 11 | DNS_AA, &telling->to, &telling->source,
	    plan_key(&office.plan, telling->key), on_reply, telling);
	if (telling->exchange == NULL)
		drop(telling);
}

/* The next one whose time has come; then a pause, so that there are not more than notify-rate in a second. */
static void
on_timer(evutil_socket_t fd, short events, void *argument)
{
	const struct plan_header *plan = office.plan.header;
	uint32_t rate = is_startup ? plan->startup_notify_rate :
	    plan->notify_rate;
	int64_t now = clock_ms(), soonest = -1;
	struct telling *telling, *due = NULL;
	struct timeval pause;

	TAILQ_FOREACH(telling, &tellings, link) {
		if (telling->exchange != NULL)
			continue;
		if (due == NULL && telling->not_before_ms <= now)
			due = telling;
		else if (soonest == -1 || telling->not_before_ms < soonest)
			soonest = telling->not_before_ms;
	}
	if (due != NULL)
		tell(due);
	if (soonest == -1) {
		is_startup = false;
		return;
	}
	soonest = soonest > now ? soonest - now : 0;
	if (soonest < 1000 / (rate > 0 ? rate : 1))
		soonest = 1000 / (rate > 0 ? rate : 1);
	pause = (struct timeval) { soonest / 1000, soonest % 1000 * 1000 };
	evtimer_add(timer, &pause);
}

static void
wake(void)
{
	const struct timeval now = { 0, 1 };

	evtimer_add(timer, &now);
}

/* Whom */

static void
add(const struct plan_zone *zone, const union control_socket *to, uint32_t key,
    int64_t not_before_ms)
{
	bool six = to->any.sa_family == AF_INET6;
	const struct control_address address = { .socket = *to };
	struct telling *telling;

	/* What waits has not been said yet: once is enough. */
	TAILQ_FOREACH(telling, &tellings, link) {
		if (telling->exchange == NULL &&
		    memcmp(&telling->to, to, sizeof(*to)) == 0 &&
		    dns_name_equal(telling->apex.bytes, zone->apex.bytes)) {
			if (not_before_ms < telling->not_before_ms)
				telling->not_before_ms = not_before_ms;
			return;
		}
	}
	telling = mem_zalloc(1, sizeof(*telling));
	telling->apex = zone->apex;
	telling->to = *to;
	telling->source = zone->notify_source[six];
	telling->key = key;
	telling->not_before_ms = not_before_ms;
	sockets_print(&address, telling->text);
	TAILQ_INSERT_TAIL(&tellings, telling, link);
}

static void
add_address(const struct plan_zone *zone, int family, const void *octets,
    int64_t not_before_ms)
{
	union control_socket to;

	memset(&to, 0, sizeof(to));
	to.any.sa_family = family;
	if (family == AF_INET) {
		to.four.sin_port = htons(53);
		memcpy(&to.four.sin_addr, octets, 4);
	} else {
		to.six.sin6_port = htons(53);
		memcpy(&to.six.sin6_addr, octets, 16);
	}
	add(zone, &to, 0, not_before_ms);
}

/* The addresses of a name server, which our own zones may know. */
struct server_search {
	const struct plan_zone *zone;
	int64_t	 not_before_ms;
	struct dns_name mname;		/* length 0: it is told, too */
	bool	 found;
	struct record_list {
		struct dns_name names[32];
		unsigned count;
	} servers;
};

static void
on_address(void *argument, const struct record *record)
{
	struct server_search *search = argument;

	if (record->type != DNS_TYPE_A && record->type != DNS_TYPE_AAAA)
		return;
	add_address(search->zone, record->type == DNS_TYPE_A ? AF_INET :
	    AF_INET6, record->rdata, search->not_before_ms);
	search->found = true;
}

static void
on_apex_record(void *argument, const struct record *record)
{
	struct server_search *search = argument;
	struct record_list *list = &search->servers;

	if (record->type == DNS_TYPE_SOA && !search->zone->notify_to_soa)
		dns_name_copy(&search->mname, record->rdata);
	else if (record->type == DNS_TYPE_NS &&
	    list->count < COUNT_OF(list->names))
		dns_name_copy(&list->names[list->count++], record->rdata);
}

/* What our zones do not know the resolver may. */
struct lookup {
	struct dns_name apex;
	int64_t	 not_before_ms;
};

static void
on_resolved(const struct resolve_answer *answer, void *argument)
{
	struct lookup *lookup = argument;
	const struct plan_zone *zone = plan_find(&office.plan,
	    lookup->apex.bytes);

	for (size_t i = 0; zone != NULL && answer->result == RESOLVE_FOUND &&
	    i < answer->count; i++) {
		const union resolve_address *at = &answer->addresses[i];

		add_address(zone, at->any.sa_family,
		    at->any.sa_family == AF_INET ?
		    (const void *)&at->v4.sin_addr :
		    (const void *)&at->v6.sin6_addr, lookup->not_before_ms);
	}
	free(lookup);
	wake();
}

static void
look_up(const struct plan_zone *zone, const struct dns_name *server,
    int64_t not_before_ms)
{
	char name[DNS_NAME_TEXT];
	struct lookup *lookup;

	if (resolver == NULL)
		return;
	lookup = mem_zalloc(1, sizeof(*lookup));
	lookup->apex = zone->apex;
	lookup->not_before_ms = not_before_ms;
	resolve_addresses(resolver, dns_name_show(server->bytes, name),
	    RESOLVE_V4 | RESOLVE_V6 | RESOLVE_HOSTS, on_resolved, lookup);
}

static void
add_server(struct server_search *search, const struct dns_name *server)
{
	struct zone_path path;
	unsigned skipped;
	place found;

	if (dns_name_equal(server->bytes, search->mname.bytes) &&
	    search->mname.length > 0)
		return;
	zone_path_init(&path, office.image.header->seed, server->bytes,
	    server->length);
	found = image_find(&office.image, &path, &skipped);
	search->found = false;
	if (found != 0 && skipped == 0)
		records_of_node(image_at(&office.image, found), on_address,
		    search);
	else if (found == 0)
		look_up(search->zone, server, search->not_before_ms);
}

static void
add_servers(const struct plan_zone *zone, int64_t not_before_ms)
{
	struct server_search search = { .zone = zone,
	    .not_before_ms = not_before_ms };
	const struct image_zone *in = revive_find(&office.image, &zone->apex);

	if (in == NULL)
		return;
	records_of_node(image_at(&office.image, in->apex), on_apex_record,
	    &search);
	for (unsigned i = 0; i < search.servers.count; i++)
		add_server(&search, &search.servers.names[i]);
}

/* When */

static void
announce(const struct plan_zone *zone, int64_t not_before_ms)
{
	const struct plan_remote *remote = office.plan.remotes +
	    zone->also_notify.first;

	if (zone->notify == NOTIFY_NO || !zone->is_loaded ||
	    (zone->notify == NOTIFY_PRIMARY_ONLY &&
	    zone->type != ZONE_PRIMARY))
		return;
	for (uint32_t i = 0; i < zone->also_notify.count; i++)
		add(zone, &remote[i].address, remote[i].key, not_before_ms);
	if (zone->notify != NOTIFY_EXPLICIT)
		add_servers(zone, not_before_ms);
	report(LOG_CATEGORY_NOTIFY, LOG_LEVEL_INFO,
	    "zone %s/IN: sending notifies (serial %u)",
	    plan_string(&office.plan, zone->name), zone->serial);
	wake();
}

void
notify_zone(const struct plan_zone *zone)
{
	announce(zone, clock_ms());
}

void
notify_use_plan(const struct plan *old)
{
	for (uint32_t i = 0; i < office.plan.header->zone_count; i++) {
		const struct plan_zone *zone = &office.plan.zones[i];
		const struct plan_zone *before = plan_find_near(old, i,
		    zone->apex.bytes);

		if (zone->is_loaded && (before == NULL || !before->is_loaded ||
		    before->serial != zone->serial))
			announce(zone, clock_ms() +
			    (int64_t)zone->notify_delay * 1000);
	}
}

int
notify_start(void)
{
	const char *why = NULL;

	timer = evtimer_new(office.events, on_timer, NULL);
	resolver = resolve_new(office.events, &why);
	if (resolver == NULL)
		report(LOG_CATEGORY_NOTIFY, LOG_LEVEL_WARNING,
		    "name servers outside our zones are not notified: "
		    "%s", why);
	return timer != NULL ? 0 : -1;
}
