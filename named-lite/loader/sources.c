/* Where zones come from: their files, or, when these are as they were or are of no use, what is served. */

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "named-lite/loader/copy.h"
#include "named-lite/loader/load.h"
#include "named-lite/records.h"
#include "named-lite/revive.h"
#include "zone/source.h"

void
note_success(size_t number, const struct zone *zone, bool is_new)
{
	struct plan_zone *row = planning_zone(&load.planning, number);
	const struct zone_rrset *soa = zone_find_rrset(zone->first,
	    DNS_TYPE_SOA);
	const uint8_t *numbers = soa->first->octets + soa->first->length - 20;

	row->is_loaded = true;
	row->has_expired = false;
	row->is_secure = zone_find_rrset(zone->first,
	    DNS_TYPE_DNSKEY) != NULL;
	row->serial = dns_get32(numbers);
	row->refresh = dns_get32(numbers + 4);
	row->retry = dns_get32(numbers + 8);
	row->expire = dns_get32(numbers + 12);
	row->minimum = dns_get32(numbers + 16);
	row->nodes = zone->owner_count;
	row->records = zone->record_count;
	if (is_new) {
		row->loaded_at = time(NULL);
		row->why = 0;
	}
}

void
note_trouble(size_t number, const char *why)
{
	plan_text text = planning_bytes(&load.planning,
	    planning_zone(&load.planning, number)->why, why, strlen(why) + 1);
	struct plan_zone *row = planning_zone(&load.planning, number);

	row->why = text;
	row->outcome = LOAD_FAILED;
	row->print = 0;
}

/* What it was read from, so that it need not be read again as long as that stays. */
static void
note_sources(size_t number, const struct zone *zone)
{
	const struct plan_zone *before = planning_zone(&load.planning, number);
	plan_text sources = planning_bytes(&load.planning, before->sources,
	    zone->sources.bytes, zone->sources.length);
	struct plan_zone *row = planning_zone(&load.planning, number);

	row->sources = sources;
	row->sources_length = zone->sources.length;
	row->print = zone->print;
}

/* What is known of it from the load before, if it is there. */
static void
inherit(size_t number)
{
	struct plan_zone *row = planning_zone(&load.planning, number);
	const struct plan_zone *before = plan_find_near(&load.plan, number,
	    row->apex.bytes);
	plan_text sources, why;

	if (before == NULL || before->type != row->type)
		return;
	row->loaded_at = before->loaded_at;
	row->confirmed_at = before->confirmed_at;
	row->has_expired = before->has_expired;
	row->print = before->print;
	row->sources_length = before->sources_length;
	sources = planning_bytes(&load.planning, 0, plan_string(&load.plan,
	    before->sources), before->sources_length);
	planning_zone(&load.planning, number)->sources = sources;
	why = planning_text(&load.planning, plan_string(&load.plan, before->why));
	planning_zone(&load.planning, number)->why = why;
}

struct zone *
source_served(size_t number)
{
	struct zone *zone = revive_zone(&load.served,
	    &planning_zone(&load.planning, number)->apex, &load.rules[number],
	    load.build.settings.seed);

	if (zone != NULL)
		note_success(number, zone, false);
	return zone;
}

/* What dynamic updates brought lies there until BIND writes it into the zone file. */
static void
look_for_journal(const struct zone *zone, const char *file)
{
	char *journal = mem_printf("%s.jnl", file);

	if (access(journal, F_OK) == 0)
		log_warning("zone %s/IN: journal file '%s' is not read: what "
		    "only it has is not served; 'rndc sync -clean' of the "
		    "BIND that wrote it puts that into the zone file",
		    zone->text, journal);
	free(journal);
}

struct zone *
source_file(size_t number)
{
	struct plan_zone *row = planning_zone(&load.planning, number);
	const struct plan_zone *before = plan_find_near(&load.plan, number,
	    row->apex.bytes);
	struct zone *zone = zone_load(&row->apex,
	    planning_string(&load.planning, row->file), &load.rules[number],
	    load.build.settings.seed);

	if (zone == NULL) {
		note_trouble(number, zone_trouble);
		return NULL;
	}
	note_success(number, zone, true);
	note_sources(number, zone);
	row = planning_zone(&load.planning, number);
	if (row->type == ZONE_PRIMARY)
		look_for_journal(zone, planning_string(&load.planning,
		    row->file));
	row->outcome = before != NULL && before->is_loaded ? LOAD_AGAIN :
	    LOAD_FIRST;
	if (before != NULL && before->is_loaded &&
	    record_is_newer(before->serial, row->serial))
		log_warning("zone %s/IN: zone serial (%u/%u) has gone "
		    "backwards", zone->text, row->serial, before->serial);
	log_info("zone %s/IN: loaded serial %u", zone->text, row->serial);
	return zone;
}

static struct zone *
load_primary(size_t number)
{
	struct zone *zone = source_file(number);

	if (zone != NULL)
		return zone;
	zone = source_served(number);
	if (zone != NULL)
		log_info("zone %s/IN: serial %u is served on", zone->text,
		    planning_zone(&load.planning, number)->serial);
	return zone;
}

bool
source_is_up_to_date(size_t number)
{
	const struct plan_zone *row = planning_zone(&load.planning, number);
	const struct plan_zone *before = plan_find_near(&load.plan, number,
	    row->apex.bytes);

	return before != NULL && before->is_loaded && before->print != 0 &&
	    before->type == row->type && memcmp(&before->rules, &row->rules,
	    sizeof(row->rules)) == 0 && row->file != 0 &&
	    strcmp(plan_string(&load.plan, before->file),
	    planning_string(&load.planning, row->file)) == 0 &&
	    source_print_all(plan_string(&load.plan, before->sources),
	    before->sources_length) == before->print;
}

/* What is served is never older than the file; at a start there is the file alone. */
static struct zone *
load_secondary(size_t number)
{
	struct plan_zone *row = planning_zone(&load.planning, number);
	const char *file = planning_string(&load.planning, row->file);
	struct zone *zone = source_served(number);
	int64_t confirmed_at;

	if (zone != NULL || file == NULL || row->has_expired)
		return zone;
	confirmed_at = copy_confirmed_at(file);
	if (confirmed_at == -1)
		return NULL;
	zone = source_file(number);
	row = planning_zone(&load.planning, number);
	if (zone == NULL)
		return NULL;
	row->confirmed_at = confirmed_at;
	if (confirmed_at + row->expire < time(NULL)) {
		log_warning("zone %s/IN: expired", zone->text);
		row->has_expired = true;
		row->is_loaded = false;
		zone_free(&zone);
	}
	return zone;
}

struct zone *
source_of_everything(size_t number)
{
	struct zone *zone = NULL;

	inherit(number);
	switch (planning_zone(&load.planning, number)->type) {
	case ZONE_PRIMARY:
		if (load.task->job == LOADER_CONFIG || source_is_up_to_date(number))
			zone = source_served(number);
		return zone != NULL ? zone : load_primary(number);
	case ZONE_SECONDARY:
		return load_secondary(number);
	default:
		return NULL;
	}
}
