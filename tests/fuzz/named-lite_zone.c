/*
 * named-lite_zone - any text as a master file; what loads becomes an image that is asked for each of its names
 *
 * What begins as BIND's raw form does is read as that. Text behind the first NUL is what $INCLUDE finds, whatever its name: no
 * input reads this machine's files, and all of it stays in memory.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "named-lite/answerer/answer.h"
#include "image/build.h"
#include "tests/fuzz/sources.h"
#include "zone/raw.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
say_nothing(enum log_level level, const char *line)
{
}

/* Every answer must be readable to its last octet. */
static void
check_answer(const uint8_t *answer, size_t length)
{
	size_t at = DNS_HEADER_SIZE;
	struct dns_record record;

	if (!dns_question_skip(answer, length, &at))
		abort();
	for (unsigned i = dns_get16(answer + 6) + dns_get16(answer + 8) +
	    dns_get16(answer + 10); i > 0; i--)
		if (!dns_record_read(&record, answer, length, &at))
			abort();
	if (at != length)
		abort();
}

static void
ask(const struct image *image, const uint8_t *name, uint16_t type, bool tcp)
{
	static struct question question;
	static uint8_t answer[65535];
	const struct sockaddr_in client = { .sin_family = AF_INET };
	uint8_t message[DNS_HEADER_SIZE + DNS_NAME_MAX + 4] = { 0, 1, 0, 0, 0,
	    1 };
	size_t name_length = dns_name_length(name), written;

	memcpy(message + DNS_HEADER_SIZE, name, name_length);
	dns_put16(message + DNS_HEADER_SIZE + name_length, type);
	dns_put16(message + DNS_HEADER_SIZE + name_length + 2, DNS_CLASS_IN);
	answer_read(&question, image, message, DNS_HEADER_SIZE + name_length + 4);
	written = answer_write(&question, image,
	    (const struct sockaddr *)&client, tcp, answer,
	    tcp ? sizeof(answer) : 4096);
	check_answer(answer, written);
}

static void
ask_all(const struct image *image, const struct zone *zone)
{
	static const uint16_t types[] = { DNS_TYPE_A, DNS_TYPE_ANY, DNS_TYPE_MX,
	    DNS_TYPE_DS };
	struct dns_name below;

	for (const struct zone_owner *owner = zone->first; owner != NULL;
	    owner = zone_next(owner)) {
		for (size_t i = 0; i < COUNT_OF(types); i++) {
			ask(image, owner->name, types[i], false);
			ask(image, owner->name, types[i], true);
			if (owner->length + 2 > DNS_NAME_MAX)
				continue;
			memcpy(below.bytes, "\1Q", 2);
			memcpy(below.bytes + 2, owner->name, owner->length);
			ask(image, below.bytes, types[i], false);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct zone_rules rules = { .records_per_type = 100,
	    .types_per_name = 100, .check_names = VERDICT_WARN };
	static const uint64_t seed[2] = { 1234567, 0x9e3779b97f4a7c15 };
	struct dns_name apex;
	const char *why;
	struct zone *zone;

	log_open_function(say_nothing);
	dns_name_parse(&apex, "Example.org", 11, NULL, &why);
	if (!raw_is((const char *)bytes, length) &&
	    memchr(bytes, '\0', length) != NULL) {
		sources_set(bytes, length);
		zone = zone_load(&apex, SOURCES_FIRST, &rules, seed);
	} else
		zone = zone_read(&apex, "fuzz", (const char *)bytes, length,
		    &rules, seed);
	if (zone == NULL)
		return 0;

	struct build_zone zones = { .apex = &apex, .zone = zone };
	struct image_match everybody[2] = { { .kind = MATCH_LIST, .count = 1 },
	    { .kind = MATCH_ANY } };
	struct build build = { .zones = &zones, .zone_count = 1,
	    .acls = everybody, .acl_count = 2, .settings = {
	    .seed = { seed[0], seed[1] }, .udp_max = 1232, .edns_size = 1232 } };
	struct image image;
	int fd = build_image(&build);

	if (fd == -1 || image_map(&image, fd) == -1)
		abort();
	close(fd);
	ask_all(&image, zone);
	image_unmap(&image);
	zone_free(&zone);
	return 0;
}
