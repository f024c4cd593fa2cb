/* Some zones have changed, as the envoy told: the others are not looked at. */

#include <errno.h>
#include <time.h>

#include "base/base.h"
#include "named-lite/loader/copy.h"
#include "named-lite/loader/load.h"
#include "named-lite/parcel.h"

static struct zone *
take_parcel(size_t number, int parcel)
{
	struct plan_zone *row = planning_zone(&load.planning, number);
	const char *file, *why, *name;
	struct zone *zone = parcel_open(parcel, &load.served, &row->apex,
	    &load.rules[number], load.build.settings.seed, &why);

	if (zone == NULL) {
		name = planning_string(&load.planning, row->name);
		log_error("zone %s/IN: what was transferred cannot be used: %s",
		    name, why);
		note_trouble(number, why);
		return NULL;
	}
	note_success(number, zone, true);
	row = planning_zone(&load.planning, number);
	row->confirmed_at = row->loaded_at;
	file = planning_string(&load.planning, row->file);
	if (file != NULL && copy_write(zone, file) == -1)
		log_error("zone %s/IN: dumping master file: %s: %m: the next "
		    "start begins with an older copy", zone->text, file);
	log_info("zone %s/IN: transferred serial %u", zone->text, row->serial);
	return zone;
}

static void
confirm(size_t number)
{
	struct plan_zone *row = planning_zone(&load.planning, number);
	const char *file = planning_string(&load.planning, row->file);

	row->confirmed_at = time(NULL);
	if (file != NULL)
		copy_confirm(file);
}

/* Read its file, if that is another now. NULL: the zone stays what it is. */
static struct zone *
read_again(size_t number)
{
	if (planning_zone(&load.planning, number)->type != ZONE_PRIMARY)
		return NULL;
	if (!source_is_up_to_date(number))
		return source_file(number);
	planning_zone(&load.planning, number)->outcome = LOAD_UP_TO_DATE;
	return NULL;
}

static void
expire(size_t number)
{
	planning_zone(&load.planning, number)->has_expired = true;
	planning_zone(&load.planning, number)->is_loaded = false;
	load.zones[number].is_kept = false;
}

/* One change of one zone; the last one counts. */
static void
change_zone(const struct control_change *change, int parcel)
{
	const struct plan_zone *row = plan_find(&load.plan, change->apex.bytes);
	size_t number = row != NULL ? row - load.plan.zones : 0;
	struct zone *zone = NULL;

	if (row == NULL)
		return;
	switch (change->action) {
	case CONTROL_READ:
		zone = read_again(number);
		break;
	case CONTROL_TRANSFERRED:
		zone = take_parcel(number, parcel);
		break;
	case CONTROL_FRESH:
		confirm(number);
		break;
	case CONTROL_EXPIRE:
		expire(number);
		zone_free(&load.zones[number].zone);
		break;
	}
	if (zone == NULL)
		return;
	zone_free(&load.zones[number].zone);
	load.zones[number].zone = zone;
	load.zones[number].is_kept = false;
}

bool
changes_apply(void)
{
	const struct control_request *request = load.task->request;
	const int *parcel = load.task->parcels;

	for (size_t i = 0; i < load.build.zone_count; i++)
		load.zones[i].is_kept = true;
	for (unsigned i = 0; i < request->count; i++)
		change_zone(&request->changes[i],
		    request->changes[i].action == CONTROL_TRANSFERRED ?
		    *parcel++ : -1);
	for (size_t i = 0; i < load.build.zone_count; i++)
		if (!load.zones[i].is_kept)
			return true;
	return false;
}

/* With what is kept as it is; if that is little, from the ground. */
int
changes_build(void)
{
	int fd = build_patch(&load.build, &load.served);

	if (fd != -1 || errno != ENOSPC)
		return fd;
	for (size_t i = 0; i < load.build.zone_count; i++)
		if (load.zones[i].is_kept)
			load.zones[i].zone = source_served(i);
	return build_image(&load.build);
}
