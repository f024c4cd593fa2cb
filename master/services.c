/* The services of master.cf: which there are, and when one needs a process. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/report.h"
#include "config/snapshot.h"
#include "ipc/ipc.h"
#include "master/master.h"

/* After a fork the new process has this long to take its client before another one is thought of. */
static const struct timeval settle = { 0, 100 * 1000 };

/* Before another process beside running ones: perhaps they are about to take the client. */
static const struct timeval doubt = { 0, 20 * 1000 };

struct services services = TAILQ_HEAD_INITIALIZER(services);

static bool
client_waits(const struct slot *slot)
{
	for (size_t i = 0; i < slot->socket_count; i++) {
		struct pollfd one = { slot->sockets[i], POLLIN, 0 };

		if (poll(&one, 1, 0) > 0)
			return true;
	}
	return false;
}

static void
start_and_settle(struct slot *slot)
{
	slot->suspect = false;
	child_start(slot);
	if (!slot->service->throttled)
		event_add(slot->again, &settle);
}

static void
on_again(evutil_socket_t fd, short what, void *context)
{
	struct slot *slot = context;

	if (slot->suspect && slot->running < slot->limit && client_waits(slot))
		start_and_settle(slot);
	else
		slot_arm(slot);
}

static void
on_client(evutil_socket_t fd, short what, void *context)
{
	struct slot *slot = context;

	slot_disarm(slot);
	if (slot->running == 0) {
		start_and_settle(slot);
		return;
	}
	slot->suspect = true;
	event_add(slot->again, &doubt);
}

static void
make_events(struct slot *slot)
{
	slot->again = event_new(master_base, -1, 0, on_again, slot);
	slot->watches = mem_zalloc(slot->socket_count, sizeof(*slot->watches));
	for (size_t i = 0; i < slot->socket_count; i++)
		slot->watches[i] = event_new(master_base, slot->sockets[i],
		    EV_READ, on_client, slot);
}

/* Watch for clients, unless there are as many processes as there may be. */
void
slot_arm(struct slot *slot)
{
	slot->suspect = false;
	if (slot->again == NULL)
		make_events(slot);
	if (slot->running >= slot->limit || slot->service->throttled)
		return;
	for (size_t i = 0; i < slot->socket_count; i++)
		event_add(slot->watches[i], NULL);
}

void
slot_disarm(struct slot *slot)
{
	if (slot->again == NULL)
		return;
	event_del(slot->again);
	for (size_t i = 0; i < slot->socket_count; i++)
		event_del(slot->watches[i]);
}

bool
service_has_processes(const struct service *service)
{
	for (size_t i = 0; i < service->slot_count; i++)
		if (service->slots[i].running > 0)
			return true;
	return false;
}

void
service_resume(struct service *service)
{
	for (size_t i = 0; i < service->slot_count; i++) {
		struct slot *slot = &service->slots[i];

		while (service->program.resident && !service->throttled &&
		    slot->running < slot->limit)
			if (child_start(slot) == -1)
				break;
		slot_arm(slot);
	}
}

static void
on_throttle_over(evutil_socket_t fd, short what, void *context)
{
	struct service *service = context;

	service->throttled = false;
	service_resume(service);
}

static void
wake(struct service *service)
{
	char *path;

	if (service->entry.type == MASTER_INET || service->throttled ||
	    (service->entry.wakeup_if_used && !service_has_processes(service)))
		return;
	path = master_entry_endpoint(&service->entry);
	if (service->program.packets)
		ipc_nudge(path, "");
	else if (service->entry.type == MASTER_FIFO &&
	    write(service->slots[0].sockets[0], "W", 1) == -1 &&
	    errno != EAGAIN)
		log_warning("wake %s: %m", path);
	free(path);
}

static void
on_wakeup(evutil_socket_t fd, short what, void *context)
{
	struct service *service = context;
	const struct timeval interval = { service->entry.wakeup, 0 };

	wake(service);
	event_add(service->wakeup, &interval);
}

static void
service_free(struct service *service)
{
	sockets_close(service);
	if (service->wakeup != NULL)
		event_free(service->wakeup);
	if (service->throttle != NULL)
		event_free(service->throttle);
	free(service->endpoints);
	free(service->path);
	free(service);
}

/* Its processes finish and leave; from now on they are nobody's. */
void
services_drain(struct service *service)
{
	children_forget(service, SIGHUP);
	for (size_t i = 0; i < service->slot_count; i++)
		service->slots[i].running = 0;
}

static void
remove_service(struct service *service)
{
	TAILQ_REMOVE(&services, service, link);
	children_forget(service, SIGHUP);
	sockets_unlink(&service->entry);
	service_free(service);
}

static bool
is_disabled(const struct master_entry *entry)
{
	char *copy = mem_strdup(config.master_service_disable), *cursor = copy;
	const char *type = master_type_name(entry->type);
	bool disabled = false, decided = false;
	char *word;

	while (!decided &&
	    (word = word_next(&cursor, LIST_SEPARATORS)) != NULL) {
		bool negated = *word == '!';
		char *rest = word + negated;
		size_t name = strlen(entry->name);

		decided = strcmp(rest, type) == 0 ||
		    (strncmp(rest, entry->name, name) == 0 &&
		    (rest[name] == '.' || rest[name] == '/') &&
		    strcmp(rest + name + 1, type) == 0);
		disabled = decided && !negated;
	}
	free(copy);
	return disabled;
}

/* What could not be served for want of a program, to be named once the log is there. */
static struct text missing;

/* Will this entry be served? Not where another does its work; and postlogd is not a service but the logger. */
static bool
is_served(const struct master_entry *entry)
{
	bool served = true;
	char *path;

	if (entry->is_merged || is_disabled(entry) || strcmp(entry->program, "postlogd") == 0)
		return false;
	path = mem_printf("%s/%s", config.daemon_directory, entry->program);
	if (access(path, X_OK) == -1) {
		text_printf(&missing, "master.cf, line %d: service \"%s\" is "
		    "not there: %s: %s\n", entry->line, entry->name, path,
		    strerror(errno));
		served = false;
	}
	free(path);
	return served;
}

void
services_name_missing(void)
{
	char *cursor = missing.bytes, *line;

	while (missing.length > 0 &&
	    (line = word_next(&cursor, "\n")) != NULL)
		log_warning("%s", line);
	text_clear(&missing);
}

static struct service *
find_service(const struct master_entry *entry)
{
	struct service *service;

	TAILQ_FOREACH(service, &services, link)
		if (service->entry.type == entry->type &&
		    strcmp(service->entry.name, entry->name) == 0)
			return service;
	return NULL;
}

/* May a service keep its sockets under its new entry? Else clients that wait in them are lost. */
static bool
sockets_fit(const struct service *service, const struct master_entry *entry,
    const char *endpoints)
{
	struct program program = program_find(entry->program);

	return strcmp(service->endpoints, endpoints) == 0 &&
	    program.packets == service->program.packets &&
	    program.events == service->program.events &&
	    program_limit(&program, entry->process_limit) ==
	    program_limit(&service->program, service->entry.process_limit);
}

static void
schedule_wakeup(struct service *service)
{
	/* The first one soon: something may have come while nobody looked. */
	static const struct timeval soon = { 1, 0 };

	if (service->wakeup == NULL)
		service->wakeup = event_new(master_base, -1, 0, on_wakeup,
		    service);
	event_del(service->wakeup);
	if (service->entry.wakeup > 0)
		event_add(service->wakeup, &soon);
}

/* Take over one entry: a new service, or the new form of an old one. Moves the entry's strings. */
static int
follow_entry(struct master_entry *entry)
{
	struct service *service = find_service(entry);
	char *endpoints = sockets_describe(entry);

	if (endpoints == NULL)
		return -1;
	if (service != NULL && !sockets_fit(service, entry, endpoints)) {
		remove_service(service);
		service = NULL;
	}

	bool is_new = service == NULL;

	if (is_new)
		service = mem_zalloc(1, sizeof(*service));
	else
		services_drain(service);
	free(service->endpoints);
	free(service->path);
	service->endpoints = endpoints;
	service->path = mem_printf("%s/%s", config.daemon_directory,
	    entry->program);
	service->entry = *entry;
	service->program = program_find(service->entry.program);
	service->wanted = true;
	service->throttled = false;
	service->throttle_ms = 0;
	memset(entry, 0, sizeof(*entry));
	if (is_new) {
		service->throttle = event_new(master_base, -1, 0,
		    on_throttle_over, service);
		if (sockets_open(service) == -1) {
			service_free(service);
			return -1;
		}
		TAILQ_INSERT_TAIL(&services, service, link);
	}
	event_del(service->throttle);
	schedule_wakeup(service);
	return 0;
}

/*
 * pickup and qmgr stood behind a fifo in older master.cf files. Ours are
 * reached by packets: the line is served as one of type unix.
 */
static void
replace_fifo(struct master_entry *entry)
{
	if (entry->type == MASTER_FIFO &&
	    (strcmp(entry->program, "pickup") == 0 ||
	    strcmp(entry->program, "qmgr") == 0))
		entry->type = MASTER_UNIX;
}

int
services_load(bool first)
{
	struct service *service, *next;
	struct master_cf cf;
	int result = 0;

	if (master_cf_load(config.config_directory, &cf) == -1)
		return -1;
	master_cf_merge_screen(&cf);
	/* Both files are good: whoever starts from now on gets them as they are. */
	if (config_snapshot_take(config.config_directory) == -1)
		log_warning("cannot keep a copy of the configuration: %m");
	text_truncate(&missing, 0);
	TAILQ_FOREACH(service, &services, link)
		service->wanted = false;
	for (size_t i = 0; i < cf.count; i++) {
		for (size_t j = 0; j < cf.entries[i].argument_count; j++)
			config_note_references(cf.entries[i].arguments[j]);
		replace_fifo(&cf.entries[i]);
		if (!is_served(&cf.entries[i]))
			continue;
		/* At start a service that cannot listen is a reason to stop; later the others go on. */
		if (follow_entry(&cf.entries[i]) == -1 && first)
			result = -1;
	}
	master_cf_clear(&cf);
	TAILQ_FOREACH_SAFE(service, &services, link, next)
		if (!service->wanted)
			remove_service(service);
	return result;
}

void
services_start(void)
{
	struct service *service;

	TAILQ_FOREACH(service, &services, link)
		service_resume(service);
}

void
services_stop(void)
{
	struct service *service, *next;

	TAILQ_FOREACH_SAFE(service, &services, link, next) {
		TAILQ_REMOVE(&services, service, link);
		children_forget(service, 0);
		sockets_unlink(&service->entry);
		service_free(service);
	}
}
