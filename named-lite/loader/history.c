#include "named-lite/loader/history.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "named-lite/loader/compare.h"
#include "named-lite/records.h"
#include "named-lite/revive.h"

/* Reading */

int
history_map(struct history *history, int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	const struct history_header *header;

	if (size == -1)
		return -1;
	header = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (header == MAP_FAILED)
		return -1;
	history->header = header;
	history->size = size;
	if (history->size < sizeof(*header) ||
	    header->magic != HISTORY_MAGIC || header->size != history->size) {
		history_unmap(history);
		errno = EINVAL;
		return -1;
	}
	return 0;
}

void
history_unmap(struct history *history)
{
	if (history->header != NULL)
		munmap((void *)(uintptr_t)history->header, history->size);
	memset(history, 0, sizeof(*history));
}

/* The step behind this one, the first for NULL; NULL at the end. */
static const struct history_step *
next_step(const struct history *history, const struct history_step *step)
{
	const uint8_t *base = (const uint8_t *)history->header;
	const uint8_t *at = step == NULL ? base + sizeof(*history->header) :
	    (const uint8_t *)step + step->size;

	if (base == NULL || at == base + history->size)
		return NULL;
	return (const struct history_step *)(const void *)at;
}

const struct history_step *
history_find(const struct history *history, const uint8_t *apex, uint32_t from)
{
	const struct history_step *step = NULL;

	while ((step = next_step(history, step)) != NULL)
		if (step->from == from &&
		    dns_name_equal(step->apex.bytes, apex))
			return step;
	return NULL;
}

/* Writing */

static void
put_step(struct text *to, const struct dns_name *apex, uint32_t from,
    uint32_t serial, const struct comparison *c)
{
	const struct text *parts[] = { &c->soas[0], &c->gone, &c->soas[1],
	    &c->come };
	struct history_step head = { .from = from, .to = serial,
	    .apex = *apex };
	static const char zeros[8];

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		head.length += parts[i]->length;
	head.size = (sizeof(head) + head.length + 7) & ~(size_t)7;
	text_append(to, &head, sizeof(head));
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (parts[i]->length > 0)
			text_append(to, parts[i]->bytes, parts[i]->length);
	text_append(to, zeros, head.size - sizeof(head) - head.length);
}

/* The steps before that lead to `serial`, as far as they fit into size octets. */
static void
keep_steps(struct text *to, const struct history *before,
    const struct dns_name *apex, uint32_t serial, size_t size)
{
	const struct history_step *kept[HISTORY_STEPS_MAX], *step = NULL;
	size_t count = 0;

	while ((step = next_step(before, step)) != NULL)
		if (dns_name_equal(step->apex.bytes, apex->bytes)) {
			if (count == HISTORY_STEPS_MAX - 1)
				memmove(kept, kept + 1, --count *
				    sizeof(kept[0]));
			kept[count++] = step;
		}
	if (count == 0 || kept[count - 1]->to != serial)
		return;
	for (size_t i = count; i-- > 0; ) {
		if (kept[i]->size > size) {
			memmove(kept, kept + i + 1, (count - i - 1) *
			    sizeof(kept[0]));
			count -= i + 1;
			break;
		}
		size -= kept[i]->size;
	}
	for (size_t i = 0; i < count; i++)
		text_append(to, kept[i], kept[i]->size);
}

static uint32_t
serial_in(const struct image *image, const struct image_zone *zone)
{
	const struct image_node *apex = image_at(image, zone->apex);
	const struct image_rrset *soa = image_find_rrset(apex, DNS_TYPE_SOA);

	return record_serial(image_rrset_octets(soa), soa->length);
}

static void
add_zone(struct text *to, const struct history *before,
    const struct image *old, const struct image *new,
    const struct plan_zone *zone)
{
	const struct image_zone *was = revive_find(old, &zone->apex);
	const struct image_zone *is = revive_find(new, &zone->apex);
	struct comparison c;
	uint32_t from, serial;
	size_t size = 0, most = SIZE_MAX;

	if (was == NULL || is == NULL)
		return;
	from = serial_in(old, was);
	serial = serial_in(new, is);
	memset(&c, 0, sizeof(c));
	if (record_is_newer(serial, from)) {
		most = compare_zones(&c, old, was, new, is);
		size = c.gone.length + c.come.length;
		if (zone->max_ixfr_ratio > 0 && zone->max_ixfr_ratio <= 100)
			most = most / 100 * zone->max_ixfr_ratio;
		if (most > zone->max_journal_size)
			most = zone->max_journal_size;
	}
	/* One that went back has no past: who asks gets all of it. */
	if (size < most && !record_is_newer(from, serial))
		keep_steps(to, before, &zone->apex, from, most - size);
	if (size < most && from != serial && most != SIZE_MAX)
		put_step(to, &zone->apex, from, serial, &c);
	comparison_clear(&c);
}

int
history_make(const struct history *before, const struct image *old,
    const struct image *new, const struct plan_zone *zones, size_t zone_count)
{
	struct text text = TEXT_EMPTY;
	struct history_header header = { HISTORY_MAGIC, 0 };
	int fd = memfd_create("history", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return -1;
	text_append(&text, &header, sizeof(header));
	for (size_t i = 0; i < zone_count; i++)
		add_zone(&text, before, old, new, &zones[i]);
	header.size = text.length;
	memcpy(text.bytes, &header, sizeof(header));
	if (fd_write_all(fd, text.bytes, text.length) == -1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE | F_SEAL_SEAL) == -1)
		fd_close(&fd);
	text_clear(&text);
	return fd;
}
