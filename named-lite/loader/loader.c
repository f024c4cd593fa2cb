#include "named-lite/loader/loader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "named-lite/loader/addresses.h"
#include "named-lite/loader/load.h"
#include "named-lite/loader/process_id.h"
#include "named-lite/report.h"

struct load load;

static void
begin_zones(void)
{
	size_t count = planning_header(&load.planning)->zone_count;
	struct dns_name *apexes = mem_zalloc(count + 1, sizeof(*apexes));

	load.zones = mem_zalloc(count + 1, sizeof(*load.zones));
	load.rules = mem_zalloc(count + 1, sizeof(*load.rules));
	for (size_t i = 0; i < count; i++) {
		const struct plan_zone *row = planning_zone(&load.planning, i);

		apexes[i] = row->apex;
		load.rules[i] = row->rules;
		load.zones[i].apex = &apexes[i];
		load.zones[i].acl = row->allow_query;
		load.zones[i].acl_on = row->allow_query_on;
	}
	load.build.zones = load.zones;
	load.build.zone_count = count;
	load.build.takes_zones = true;
}

static int
build_all(void)
{
	uint64_t *seed = load.build.settings.seed;

	arc4random_buf(seed, 2 * sizeof(*seed));
	seed[1] |= 1;		/* a factor, which must not be 0 */
	for (size_t i = 0; i < load.build.zone_count; i++)
		load.zones[i].zone = source_of_everything(i);
	report_about(LOG_CATEGORY_GENERAL);
	log_info("all zones loaded");
	return build_image(&load.build);
}

static int
hand_over(int fd, const int files[CONTROL_FILES])
{
	static struct control_loaded loaded;
	const struct plan_channel *channel;
	struct plan plan;

	if (load.task->job == LOADER_CHANGES)
		loaded.count = CONTROL_UNCHANGED;
	else {
		loaded.has_logging = load.has_logging;
		addresses_choose(&loaded, &load.settings, load.options);
		if (plan_map(&plan, files[CONTROL_FILE_PLAN]) == -1)
			return -1;
		for (uint32_t i = 0; i < plan.header->channel_count; i++) {
			channel = &plan.channels[i];
			if ((channel->address.any.sa_family == AF_INET &&
			    load.options->only_six) || (load.options->only_four &&
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
	struct image image;
	bool is_new = true;

	report_about(LOG_CATEGORY_ZONELOAD);
	begin_zones();
	if (load.task->job == LOADER_CHANGES)
		is_new = changes_apply();
	files[CONTROL_FILE_IMAGE] =
	    !is_new ? load.task->served[CONTROL_FILE_IMAGE] :
	    load.task->job == LOADER_CHANGES ? changes_build() : build_all();
	if (files[CONTROL_FILE_IMAGE] == -1 ||
	    image_map(&image, files[CONTROL_FILE_IMAGE]) == -1) {
		log_error("cannot build the image of the zones: %m");
		return -1;
	}
	files[CONTROL_FILE_HISTORY] = !is_new ?
	    load.task->served[CONTROL_FILE_HISTORY] : history_make(&load.history,
	    &load.served, &image, planning_zone(&load.planning, 0),
	    planning_header(&load.planning)->zone_count);
	files[CONTROL_FILE_PLAN] = planning_finish(&load.planning);
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
	log_info("loading configuration from '%s'", load.options->config);
	report_about(LOG_CATEGORY_CONFIG);
	if (settings_read(&load.settings, load.options->config,
	    load.options->port) == -1)
		return -1;
	load.has_logging = load.settings.logging.is_given &&
	    !load.options->to_console;
	if (load.has_logging)
		report_begin();
	report_about(LOG_CATEGORY_GENERAL);
	planning_begin(&load.planning, &load.settings, load.options->config);
	plan_text pid_file = planning_text(&load.planning,
	    process_id_path(load.settings.pid_file, load.options));

	planning_header(&load.planning)->pid_file = pid_file;
	load.build.acls = load.settings.acls.rows;
	load.build.acl_count = load.settings.acls.count;
	load.build.version = load.settings.version;
	load.build.hostname = load.settings.hostname;
	load.build.server_id = load.settings.server_id;
	load.build.settings = load.settings.image;
	return enter(load.settings.directory);
}

/* As it said when what is served was loaded. */
static int
begin_with_plan(void)
{
	const struct plan_header *header = load.plan.header;

	if (header == NULL || load.served.base == NULL)
		return -1;
	planning_copy(&load.planning, &load.plan);
	load.build.acls = image_at(&load.served, load.served.header->acls);
	load.build.acl_count = load.served.header->acl_count;
	load.build.version = plan_string(&load.plan, header->version);
	load.build.hostname = plan_string(&load.plan, header->hostname);
	load.build.server_id = plan_string(&load.plan, header->server_id);
	load.build.settings = *load.served.header;
	return enter(plan_string(&load.plan, header->directory));
}

static void
look_at_served(const int *files)
{
	if (files[CONTROL_FILE_IMAGE] == -1)
		return;
	if (plan_map(&load.plan, files[CONTROL_FILE_PLAN]) == -1 ||
	    history_map(&load.history, files[CONTROL_FILE_HISTORY]) == -1 ||
	    image_map(&load.served, files[CONTROL_FILE_IMAGE]) == -1)
		log_warning("cannot look at what is being served: %m");
}

/* The process ends soon: what it has in memory goes with it. */
int
loader_run(const struct options *options, const struct loader_task *task,
    int fd)
{
	int files[CONTROL_FILES];

	load.options = options;
	load.task = task;
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
	if (hand_over(fd, files) == -1)
		return EXIT_FAILURE;
	if (task->job == LOADER_ALL || task->job == LOADER_CONFIG)
		process_id_write(process_id_path(load.settings.pid_file, options));
	return EXIT_SUCCESS;
}

void
loader_end(const int *served)
{
	struct plan plan;

	if (served[CONTROL_FILE_PLAN] != -1 &&
	    plan_map(&plan, served[CONTROL_FILE_PLAN]) == 0)
		process_id_remove(&plan);
}
