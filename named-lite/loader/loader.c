#include "named-lite/loader/loader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "image/build.h"
#include "named-lite/loader/addresses.h"
#include "named-lite/loader/copy.h"
#include "named-lite/loader/history.h"
#include "named-lite/parcel.h"
#include "named-lite/loader/planning.h"
#include "named-lite/records.h"
#include "named-lite/revive.h"
#include "named/settings.h"

/* A load on its way. */
static struct {
	const struct options *options;
	const struct loader_task *task;
	struct settings settings;	/* unless it is about changes alone */
	struct planning planning;
	struct image served;		/* nothing, at first */
	struct plan plan;		/* of what is served */
	struct history history;
	struct build build;
	struct build_zone *zones;
	struct zone_rules *rules;	/* which do not move, as rows of the plan do */
} l;

/* How a zone was loaded goes into its row. */

static void
note_success(size_t number, const struct zone *zone, bool is_new)
{
	struct plan_zone *row = planning_zone(&l.planning, number);
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
	row->records = 0;
	for (const struct zone_owner *owner = zone->first; owner != NULL;
	    owner = zone_next(owner))
		for (const struct zone_rrset *rrset = owner->rrsets;
		    rrset != NULL; rrset = rrset->next)
			row->records += rrset->count;
	if (is_new) {
		row->loaded_at = time(NULL);
		row->why = 0;
	}
}

static void
note_trouble(size_t number, const char *why)
{
	plan_text text = planning_text(&l.planning, why);

	planning_zone(&l.planning, number)->why = text;
}

/* What is known of it from the load before, if it is there. */
static void
inherit(size_t number)
{
	struct plan_zone *row = planning_zone(&l.planning, number);
	const struct plan_zone *before = plan_find_near(&l.plan, number,
	    row->apex.bytes);
	plan_text why;

	if (before == NULL || before->type != row->type)
		return;
	row->loaded_at = before->loaded_at;
	row->confirmed_at = before->confirmed_at;
	row->has_expired = before->has_expired;
	why = planning_text(&l.planning, plan_string(&l.plan, before->why));
	planning_zone(&l.planning, number)->why = why;
}

/* Sources of a zone */

static struct zone *
keep_zone(size_t number)
{
	struct zone *zone = revive_zone(&l.served,
	    &planning_zone(&l.planning, number)->apex, &l.rules[number],
	    l.build.settings.seed);

	if (zone != NULL)
		note_success(number, zone, false);
	return zone;
}

static struct zone *
read_file(size_t number)
{
	const struct plan_zone *row = planning_zone(&l.planning, number);
	const struct plan_zone *before = plan_find_near(&l.plan, number,
	    row->apex.bytes);
	struct zone *zone = zone_load(&row->apex,
	    planning_string(&l.planning, row->file), &l.rules[number],
	    l.build.settings.seed);

	if (zone == NULL) {
		note_trouble(number, zone_trouble);
		return NULL;
	}
	note_success(number, zone, true);
	row = planning_zone(&l.planning, number);
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
	struct zone *zone = read_file(number);

	if (zone != NULL)
		return zone;
	zone = keep_zone(number);
	if (zone != NULL)
		log_info("zone %s/IN: serial %u is served on", zone->text,
		    planning_zone(&l.planning, number)->serial);
	return zone;
}

/* What is served is never older than the file; at a start there is the file alone. */
static struct zone *
load_secondary(size_t number)
{
	struct plan_zone *row = planning_zone(&l.planning, number);
	const char *file = planning_string(&l.planning, row->file);
	struct zone *zone = keep_zone(number);
	int64_t confirmed_at;

	if (zone != NULL || file == NULL || row->has_expired)
		return zone;
	confirmed_at = copy_confirmed_at(file);
	if (confirmed_at == -1)
		return NULL;
	zone = read_file(number);
	row = planning_zone(&l.planning, number);
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

/* Changes, which the envoy told of */

static struct zone *
take_parcel(size_t number, int parcel)
{
	struct plan_zone *row = planning_zone(&l.planning, number);
	const char *file, *why, *name;
	struct zone *zone = parcel_open(parcel, &l.served, &row->apex,
	    &l.rules[number], l.build.settings.seed, &why);

	if (zone == NULL) {
		name = planning_string(&l.planning, row->name);
		log_error("zone %s/IN: what was transferred cannot be used: %s",
		    name, why);
		note_trouble(number, why);
		return keep_zone(number);
	}
	note_success(number, zone, true);
	row = planning_zone(&l.planning, number);
	row->confirmed_at = row->loaded_at;
	file = planning_string(&l.planning, row->file);
	if (file != NULL && copy_write(zone, file) == -1)
		log_error("zone %s/IN: dumping master file: %s: %m: the next "
		    "start begins with an older copy", zone->text, file);
	log_info("zone %s/IN: transferred serial %u", zone->text, row->serial);
	return zone;
}

static void
confirm(size_t number)
{
	struct plan_zone *row = planning_zone(&l.planning, number);
	const char *file = planning_string(&l.planning, row->file);

	row->confirmed_at = time(NULL);
	if (file != NULL)
		copy_confirm(file);
}

/* The change that concerns a zone, and its parcel; NULL if nothing has changed. */
static const struct control_change *
find_change(size_t number, int *parcel)
{
	const struct control_request *request = l.task->request;
	const struct dns_name *apex = &planning_zone(&l.planning,
	    number)->apex;
	const int *next = l.task->parcels;

	for (unsigned i = 0; i < request->count; i++) {
		const struct control_change *change = &request->changes[i];

		*parcel = change->action == CONTROL_TRANSFERRED ? *next++ : -1;
		if (dns_name_equal(change->apex.bytes, apex->bytes))
			return change;
	}
	return NULL;
}

static struct zone *
change_zone(size_t number)
{
	int parcel;
	const struct control_change *change = find_change(number, &parcel);
	struct plan_zone *row = planning_zone(&l.planning, number);

	if (change == NULL)
		return keep_zone(number);
	switch (change->action) {
	case CONTROL_READ:
		if (row->type == ZONE_PRIMARY)
			return load_primary(number);
		break;
	case CONTROL_TRANSFERRED:
		return take_parcel(number, parcel);
	case CONTROL_FRESH:
		confirm(number);
		break;
	case CONTROL_EXPIRE:
		row->has_expired = true;
		row->is_loaded = false;
		return NULL;
	}
	return keep_zone(number);
}

/* If nothing but confirmations came, what is served stays as it is. */
static bool
needs_image(void)
{
	const struct control_request *request = l.task->request;

	if (l.task->job != LOADER_CHANGES)
		return true;
	for (unsigned i = 0; i < request->count; i++)
		if (request->changes[i].action != CONTROL_FRESH)
			return true;
	return false;
}

/* Everything */

static struct zone *
load_zone(size_t number)
{
	struct zone *zone = NULL;

	if (l.task->job == LOADER_CHANGES)
		return change_zone(number);
	inherit(number);
	switch (planning_zone(&l.planning, number)->type) {
	case ZONE_PRIMARY:
		if (l.task->job == LOADER_CONFIG)
			zone = keep_zone(number);
		return zone != NULL ? zone : load_primary(number);
	case ZONE_SECONDARY:
		return load_secondary(number);
	default:
		return NULL;
	}
}

static void
load_zones(void)
{
	size_t count = planning_header(&l.planning)->zone_count;
	struct dns_name *apexes = mem_zalloc(count + 1, sizeof(*apexes));

	l.zones = mem_zalloc(count + 1, sizeof(*l.zones));
	l.rules = mem_zalloc(count + 1, sizeof(*l.rules));
	for (size_t i = 0; i < count; i++) {
		const struct plan_zone *row = planning_zone(&l.planning, i);

		apexes[i] = row->apex;
		l.rules[i] = row->rules;
		l.zones[i].apex = &apexes[i];
		l.zones[i].acl = row->allow_query;
		l.zones[i].zone = load_zone(i);
	}
	l.build.zones = l.zones;
	l.build.zone_count = count;
	l.build.takes_zones = true;
	if (l.task->job != LOADER_CHANGES)
		log_info("all zones loaded");
}

/* Nothing else is to be done: zones stay as they are. */
static void
confirm_zones(void)
{
	size_t count = planning_header(&l.planning)->zone_count;
	int parcel;

	for (size_t i = 0; i < count; i++)
		if (find_change(i, &parcel) != NULL)
			confirm(i);
}

static int
hand_over(int fd, const int files[CONTROL_FILES])
{
	static struct control_loaded loaded;
	const struct plan_channel *channel;
	struct plan plan;

	if (l.task->job == LOADER_CHANGES)
		loaded.count = CONTROL_UNCHANGED;
	else {
		addresses_choose(&loaded, &l.settings, l.options);
		if (plan_map(&plan, files[CONTROL_FILE_PLAN]) == -1)
			return -1;
		for (uint32_t i = 0; i < plan.header->channel_count; i++) {
			channel = &plan.channels[i];
			if ((channel->address.any.sa_family == AF_INET &&
			    l.options->only_six) || (l.options->only_four &&
			    channel->address.any.sa_family == AF_INET6))
				continue;
			loaded.channels[loaded.channel_count++].socket =
			    channel->address;
		}
	}
	if (control_send(fd, &loaded, sizeof(loaded), files,
	    CONTROL_FILES) == 0)
		return 0;
	log_error("cannot hand over the zones: %m");
	return -1;
}

/* All zones in an image, with its plan and its history. 0, or -1, logged. */
static int
make_files(int files[CONTROL_FILES])
{
	uint64_t *seed = l.build.settings.seed;
	struct image image;
	bool is_new = needs_image();

	arc4random_buf(seed, 2 * sizeof(*seed));
	seed[1] |= 1;		/* a factor, which must not be 0 */
	if (is_new)
		load_zones();
	else
		confirm_zones();
	files[CONTROL_FILE_IMAGE] = is_new ? build_image(&l.build) :
	    l.task->served[CONTROL_FILE_IMAGE];
	if (files[CONTROL_FILE_IMAGE] == -1 ||
	    image_map(&image, files[CONTROL_FILE_IMAGE]) == -1) {
		log_error("cannot build the image of the zones: %m");
		return -1;
	}
	files[CONTROL_FILE_HISTORY] = !is_new ?
	    l.task->served[CONTROL_FILE_HISTORY] : history_make(&l.history,
	    &l.served, &image, planning_zone(&l.planning, 0),
	    planning_header(&l.planning)->zone_count);
	files[CONTROL_FILE_PLAN] = planning_finish(&l.planning);
	if (files[CONTROL_FILE_HISTORY] == -1 ||
	    files[CONTROL_FILE_PLAN] == -1) {
		log_error("cannot keep the plan of the zones: %m");
		return -1;
	}
	return 0;
}

static int
enter(const char *directory)
{
	if (directory == NULL || chdir(directory) == 0)
		return 0;
	log_error("options: change directory to '%s' failed: %s", directory,
	    strerror(errno));
	return -1;
}

/* As the file says now. */
static int
begin_with_settings(void)
{
	log_info("loading configuration from '%s'", l.options->config);
	if (settings_read(&l.settings, l.options->config,
	    l.options->port) == -1)
		return -1;
	planning_begin(&l.planning, &l.settings, l.options->config);
	l.build.acls = l.settings.acls.rows;
	l.build.acl_count = l.settings.acls.count;
	l.build.version = l.settings.version;
	l.build.hostname = l.settings.hostname;
	l.build.server_id = l.settings.server_id;
	l.build.settings = l.settings.image;
	return enter(l.settings.directory);
}

/* As it said when what is served was loaded. */
static int
begin_with_plan(void)
{
	const struct plan_header *header = l.plan.header;

	if (header == NULL || l.served.base == NULL)
		return -1;
	planning_copy(&l.planning, &l.plan);
	l.build.acls = image_at(&l.served, l.served.header->acls);
	l.build.acl_count = l.served.header->acl_count;
	l.build.version = plan_string(&l.plan, header->version);
	l.build.hostname = plan_string(&l.plan, header->hostname);
	l.build.server_id = plan_string(&l.plan, header->server_id);
	l.build.settings = *l.served.header;
	return enter(plan_string(&l.plan, header->directory));
}

static void
look_at_served(const int *files)
{
	if (files[CONTROL_FILE_IMAGE] == -1)
		return;
	if (plan_map(&l.plan, files[CONTROL_FILE_PLAN]) == -1 ||
	    history_map(&l.history, files[CONTROL_FILE_HISTORY]) == -1 ||
	    image_map(&l.served, files[CONTROL_FILE_IMAGE]) == -1)
		log_warning("cannot look at what is being served: %m");
}

/* The process ends soon: what it has in memory goes with it. */
int
loader_run(const struct options *options, const struct loader_task *task,
    int fd)
{
	int files[CONTROL_FILES];

	l.options = options;
	l.task = task;
	look_at_served(task->served);
	if ((task->job == LOADER_CHANGES ? begin_with_plan() :
	    begin_with_settings()) == -1) {
		log_error("loading configuration: failure");
		return EXIT_FAILURE;
	}
	if (task->job == LOADER_ADDRESSES)
		memcpy(files, task->served, sizeof(files));
	else if (make_files(files) == -1)
		return EXIT_FAILURE;
	return hand_over(fd, files) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
