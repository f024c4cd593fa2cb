#include "named-lite/envoy/secondary.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "named-lite/envoy/exchange.h"
#include "named-lite/envoy/fetch.h"
#include "named-lite/envoy/office.h"
#include "named-lite/records.h"
#include "named-lite/sockets.h"

#define RETRY_UNLOADED	60	/* seconds, for a zone whose own numbers nobody knows */

/*
 * Where a zone stands. It asks its primaries one after the other, waits for
 * a turn to fetch, and hands over what came; or sleeps.
 */
enum ward_state {
	WARD_SLEEPS,
	WARD_ASKS,		/* a SOA question is under way */
	WARD_WAITS,		/* for a transfer of others to end */
	WARD_FETCHES,
	WARD_HANDS_OVER,	/* the loader has it */
};

/* A zone that we keep for its primaries. */
struct ward {
	TAILQ_ENTRY(ward) link;
	struct dns_name apex;
	const struct plan_zone *row;	/* of the present plan */
	enum ward_state state;
	struct event *timer;		/* when it wakes up */
	int64_t	 wake_at;		/* seconds since 1970 */
	uint32_t primary;		/* which one is asked */
	uint32_t tried;			/* how many, in this round */
	bool	 wants_whole;
	bool	 was_notified;		/* meanwhile: ask once more */
	bool	 is_wanted;
	uint32_t expected;		/* serial number that was handed over */
	struct exchange *exchange;
	struct fetch *fetch;
};

static TAILQ_HEAD(, ward) wards = TAILQ_HEAD_INITIALIZER(wards);

static void	ask(struct ward *ward);
static void	next_primary(struct ward *ward, const char *why);
static void	start_waiting(void);

static const char *
name_of(const struct ward *ward)
{
	return plan_string(&office.plan, ward->row->name);
}

static const struct plan_remote *
primary_of(const struct ward *ward)
{
	return &office.plan.remotes[ward->row->primaries.first +
	    ward->primary % ward->row->primaries.count];
}

static const char *
primary_text(const struct ward *ward, char text[SOCKETS_TEXT])
{
	const struct control_address address = {
		.socket = primary_of(ward)->address };

	return sockets_print(&address, text);
}

/* Sleeping */

static uint32_t
clamp(uint32_t value, const uint32_t bounds[2])
{
	return value < bounds[0] ? bounds[0] :
	    value > bounds[1] ? bounds[1] : value;
}

static int64_t
expires_at(const struct plan_zone *row)
{
	return row->confirmed_at + row->expire;
}

/* Wake up then, or when the zone expires, if that is sooner. */
static void
sleep_until(struct ward *ward, int64_t when)
{
	struct timeval span = { 0, 0 };
	int64_t now = time(NULL);

	ward->state = WARD_SLEEPS;
	ward->tried = 0;
	ward->wake_at = when;
	if (ward->row->is_loaded && expires_at(ward->row) < when)
		when = expires_at(ward->row);
	if (when > now)
		span.tv_sec = when - now;
	else
		span.tv_usec = 1;
	evtimer_add(ward->timer, &span);
}

/* Nobody could tell: try again after a while. */
static void
retry_later(struct ward *ward)
{
	uint32_t retry = ward->row->is_loaded ? ward->row->retry :
	    RETRY_UNLOADED;

	if (!ward->row->is_loaded && ward->row->retry > 0)
		retry = ward->row->retry;
	sleep_until(ward, time(NULL) + clamp(retry, ward->row->retry_bounds));
}

/* A primary has confirmed it: sleep as long as it says, less a little so that not all wake up at once. */
static void
sleep_refresh(struct ward *ward)
{
	uint32_t refresh = clamp(ward->row->refresh,
	    ward->row->refresh_bounds);

	if (ward->was_notified) {
		ward->was_notified = false;
		ask(ward);
		return;
	}
	refresh -= arc4random_uniform(refresh / 4 + 1);
	sleep_until(ward, time(NULL) + (refresh > 0 ? refresh : 1));
}

static void
expire(struct ward *ward)
{
	struct control_change change = { CONTROL_EXPIRE, ward->apex };

	log_warning("zone %s/IN: expired", name_of(ward));
	errand_run(CONTROL_CHANGE, &change, NULL, NULL, NULL);
}

static void
on_timer(evutil_socket_t fd, short events, void *argument)
{
	struct ward *ward = argument;
	int64_t now = time(NULL);

	if (ward->state != WARD_SLEEPS)
		return;
	if (ward->row->is_loaded && expires_at(ward->row) <= now)
		expire(ward);
	if (ward->wake_at <= now)
		ask(ward);
	else
		sleep_until(ward, ward->wake_at);
}

/* Handing over */

static void
on_handed_over(void *argument, const struct control_change *change,
    bool went_well)
{
	struct ward *ward = argument;

	if (went_well && ward->row->is_loaded &&
	    ward->row->serial == ward->expected) {
		ward->wants_whole = false;
		sleep_refresh(ward);
	} else if (!ward->wants_whole) {
		ward->wants_whole = true;	/* differences that did not fit */
		ward->state = WARD_WAITS;
		start_waiting();
	} else
		next_primary(ward, "what it sent cannot be used");
}

static void
on_confirmed(void *argument, const struct control_change *change,
    bool went_well)
{
	struct ward *ward = argument;

	if (went_well)
		sleep_refresh(ward);
	else
		retry_later(ward);
}

/* A parcel, or (-1) the word that ours is as good as any. */
static void
hand_over(struct ward *ward, int parcel, uint32_t serial)
{
	struct control_change change = { parcel == -1 ? CONTROL_FRESH :
	    CONTROL_TRANSFERRED, ward->apex };

	ward->state = WARD_HANDS_OVER;
	ward->expected = serial;
	if (parcel == -1)
		errand_run(CONTROL_CHANGE, &change, NULL, on_confirmed, ward);
	else
		errand_run(CONTROL_CHANGE, &change, &parcel, on_handed_over,
		    ward);
}

/* Fetching */

static void
on_fetched(void *argument, const struct fetch_result *result)
{
	struct ward *ward = argument;

	ward->fetch = NULL;
	ward->state = WARD_SLEEPS;
	if (result->why == NULL)
		hand_over(ward, result->parcel, result->parcel == -1 ?
		    ward->row->serial : result->serial);
	else if (result->can_fall_back) {
		ward->wants_whole = true;
		ward->state = WARD_WAITS;
	} else
		next_primary(ward, result->why);
	start_waiting();
}

static bool
fetch(struct ward *ward)
{
	const struct plan_remote *from = primary_of(ward);
	bool whole = ward->wants_whole || !ward->row->is_loaded ||
	    !from->request_ixfr;

	ward->state = WARD_FETCHES;
	ward->fetch = fetch_start(ward->row, whole, from,
	    plan_key(&office.plan, from->key), on_fetched, ward);
	if (ward->fetch != NULL)
		log_info("zone %s/IN: Transfer started.", name_of(ward));
	return ward->fetch != NULL;
}

static bool
is_same_host(const union control_socket *a, const union control_socket *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* May a transfer from there begin? */
static bool
has_turn(const struct ward *ward)
{
	const struct plan_header *plan = office.plan.header;
	const struct plan_remote *from = primary_of(ward);
	const struct ward *other;
	uint32_t all = 0, same = 0;

	TAILQ_FOREACH(other, &wards, link) {
		if (other->state != WARD_FETCHES)
			continue;
		all++;
		same += is_same_host(&primary_of(other)->address,
		    &from->address);
	}
	return all < plan->transfers_in && same < plan->transfers_per_ns;
}

static void
start_waiting(void)
{
	struct ward *ward;

	TAILQ_FOREACH(ward, &wards, link)
		if (ward->state == WARD_WAITS && has_turn(ward) &&
		    !fetch(ward))
			retry_later(ward);
}

static void
want_fetch(struct ward *ward)
{
	ward->state = WARD_WAITS;
	start_waiting();
}

/* Asking */

static void
next_primary(struct ward *ward, const char *why)
{
	char text[SOCKETS_TEXT];

	log_info("zone %s/IN: refresh: failure trying primary %s: %s",
	    name_of(ward), primary_text(ward, text), why);
	ward->primary = (ward->primary + 1) % ward->row->primaries.count;
	if (++ward->tried < ward->row->primaries.count)
		ask(ward);
	else
		retry_later(ward);
}

static void
on_answer(void *argument, const uint8_t *reply, size_t length, const char *why)
{
	struct ward *ward = argument;
	uint32_t serial = 0;

	ward->exchange = NULL;
	ward->state = WARD_SLEEPS;
	/* What UDP does not carry TCP may: a fetch begins with the same question. */
	if (reply == NULL && ward->row->try_tcp_refresh &&
	    strcmp(why, "timed out") == 0) {
		want_fetch(ward);
		return;
	}
	if (why == NULL)
		why = exchange_read_soa(&ward->apex, reply, length, &serial);
	if (why != NULL)
		next_primary(ward, why);
	else if (!ward->row->is_loaded || ward->wants_whole ||
	    record_is_newer(serial, ward->row->serial))
		want_fetch(ward);
	else if (serial == ward->row->serial)
		hand_over(ward, -1, serial);
	else {
		char text[SOCKETS_TEXT];

		if (!ward->row->multi_master)
			log_warning("zone %s/IN: serial number (%u) received "
			    "from primary %s < ours (%u)", name_of(ward),
			    serial, primary_text(ward, text),
			    ward->row->serial);
		next_primary(ward, "it has an older version");
	}
}

/* No more questions than serial-query-rate in a second: milliseconds to wait. */
static int64_t
wait_for_rate(void)
{
	static int64_t next_ms;
	uint32_t rate = office.plan.header->serial_query_rate;
	int64_t now = clock_ms();

	if (next_ms > now)
		return next_ms - now;
	next_ms = now + 1000 / (rate > 0 ? rate : 1);
	return 0;
}

static void
ask(struct ward *ward)
{
	const struct plan_remote *remote = primary_of(ward);
	int64_t wait_ms = wait_for_rate();
	struct timeval wait = { wait_ms / 1000, wait_ms % 1000 * 1000 };

	if (wait_ms > 0) {
		ward->state = WARD_SLEEPS;
		ward->wake_at = 0;
		evtimer_add(ward->timer, &wait);
		return;
	}
	if (remote->bogus) {
		next_primary(ward, "it is bogus");
		return;
	}
	if (ward->wants_whole) {
		want_fetch(ward);
		return;
	}
	ward->state = WARD_ASKS;
	ward->exchange = exchange_start(&ward->apex, DNS_TYPE_SOA, 0,
	    &remote->address, &remote->source,
	    plan_key(&office.plan, remote->key), on_answer, ward);
	if (ward->exchange == NULL)
		next_primary(ward, "cannot reach it");
}

/* From outside */

static struct ward *
find(const uint8_t *apex)
{
	struct ward *ward;

	TAILQ_FOREACH(ward, &wards, link)
		if (dns_name_equal(ward->apex.bytes, apex))
			return ward;
	return NULL;
}

void
secondary_refresh(const struct plan_zone *zone, bool whole)
{
	struct ward *ward = find(zone->apex.bytes);

	if (ward == NULL)
		return;
	ward->wants_whole = ward->wants_whole || whole;
	if (ward->state == WARD_SLEEPS) {
		ward->tried = 0;
		ask(ward);
	} else
		ward->was_notified = true;
}

void
secondary_notified(const struct control_notice *notice)
{
	struct ward *ward = find(notice->apex.bytes);
	const struct control_address address = { .socket = notice->from };
	char text[SOCKETS_TEXT];

	if (ward == NULL)
		return;
	log_info("zone %s/IN: notify from %s%s", name_of(ward),
	    sockets_print(&address, text), ward->state == WARD_SLEEPS ? "" :
	    ": refresh in progress, refresh check queued");
	secondary_refresh(ward->row, false);
}

bool
secondary_times(const struct plan_zone *zone, int64_t *refresh_at,
    int64_t *expire_at)
{
	const struct ward *ward = find(zone->apex.bytes);

	if (ward == NULL || !zone->is_loaded)
		return false;
	*refresh_at = ward->state == WARD_SLEEPS ? ward->wake_at : time(NULL);
	*expire_at = expires_at(zone);
	return true;
}

unsigned
secondary_count(enum secondary_activity activity)
{
	static const enum ward_state states[] = {
		[SECONDARY_ASKING] = WARD_ASKS,
		[SECONDARY_FETCHING] = WARD_FETCHES,
		[SECONDARY_WAITING] = WARD_WAITS,
	};
	const struct ward *ward;
	unsigned count = 0;

	TAILQ_FOREACH(ward, &wards, link)
		count += ward->state == states[activity];
	return count;
}

/* Plans */

static void
start(const struct plan_zone *row)
{
	struct ward *ward = mem_zalloc(1, sizeof(*ward));

	ward->apex = row->apex;
	ward->row = row;
	ward->is_wanted = true;
	ward->timer = evtimer_new(office.events, on_timer, ward);
	TAILQ_INSERT_TAIL(&wards, ward, link);
	sleep_until(ward, 0);
}

static void
end(struct ward *ward)
{
	TAILQ_REMOVE(&wards, ward, link);
	errand_forget(ward);
	exchange_cancel(&ward->exchange);
	fetch_cancel(&ward->fetch);
	event_free(ward->timer);
	free(ward);
}

void
secondary_use_plan(void)
{
	struct ward *ward, *next, *likely = TAILQ_FIRST(&wards);

	TAILQ_FOREACH(ward, &wards, link)
		ward->is_wanted = false;
	for (uint32_t i = 0; i < office.plan.header->zone_count; i++) {
		const struct plan_zone *row = &office.plan.zones[i];

		if (row->type != ZONE_SECONDARY || row->primaries.count == 0)
			continue;
		/* Both lists mostly have one order. */
		ward = likely != NULL && dns_name_equal(likely->apex.bytes,
		    row->apex.bytes) ? likely : find(row->apex.bytes);
		if (ward == NULL) {
			start(row);
			continue;
		}
		likely = TAILQ_NEXT(ward, link);
		ward->row = row;
		ward->is_wanted = true;
	}
	TAILQ_FOREACH_SAFE(ward, &wards, link, next)
		if (!ward->is_wanted)
			end(ward);
}
