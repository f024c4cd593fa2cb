#include "named-lite/plan.h"

#include <sys/mman.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

int
plan_map(struct plan *plan, int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	const uint8_t *base;

	if (size == -1)
		return -1;
	base = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return -1;
	plan->header = (const struct plan_header *)base;
	plan->size = size;
	if (plan->size < sizeof(*plan->header) ||
	    plan->header->magic != PLAN_MAGIC ||
	    plan->header->size != plan->size) {
		plan_unmap(plan);
		errno = EINVAL;
		return -1;
	}
	plan->zones = (const struct plan_zone *)(base + plan->header->zones);
	plan->remotes = (const struct plan_remote *)
	    (base + plan->header->remotes);
	plan->peers = (const struct plan_peer *)(base + plan->header->peers);
	plan->keys = (const struct dns_key *)(base + plan->header->keys);
	plan->channels = (const struct plan_channel *)
	    (base + plan->header->channels);
	plan->logs = (const struct plan_log *)(base + plan->header->logs);
	return 0;
}

void
plan_unmap(struct plan *plan)
{
	if (plan->header != NULL)
		munmap((void *)(uintptr_t)plan->header, plan->size);
	memset(plan, 0, sizeof(*plan));
}

const char *
plan_string(const struct plan *plan, plan_text text)
{
	return text == 0 ? NULL : (const char *)plan->header + text;
}

const char *
plan_view(const struct plan *plan)
{
	const char *name = plan->header != NULL ? plan_string(plan,
	    plan->header->view) : NULL;

	return name != NULL ? name : "_default";
}

const struct plan_zone *
plan_find(const struct plan *plan, const uint8_t *apex)
{
	uint32_t count = plan->header != NULL ? plan->header->zone_count : 0;

	for (uint32_t i = 0; i < count; i++)
		if (dns_name_equal(plan->zones[i].apex.bytes, apex))
			return &plan->zones[i];
	return NULL;
}

const struct plan_zone *
plan_find_near(const struct plan *plan, uint32_t number, const uint8_t *apex)
{
	if (plan->header != NULL && number < plan->header->zone_count &&
	    dns_name_equal(plan->zones[number].apex.bytes, apex))
		return &plan->zones[number];
	return plan_find(plan, apex);
}

const struct dns_key *
plan_key(const struct plan *plan, uint32_t number)
{
	return number == 0 || number > plan->header->key_count ? NULL :
	    &plan->keys[number - 1];
}

bool
plan_logs(const struct plan *plan, enum log_category category)
{
	return plan->header != NULL &&
	    (plan->header->log_asked >> category & 1) != 0;
}
