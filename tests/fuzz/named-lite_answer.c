/* named-lite_answer - any octets as a question to a zone with everything in it */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "named-lite/answer.h"
#include "image/build.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char text[] =
    "$TTL 60\n@ SOA ns x 1 2 3 4 5\n NS ns\n MX 1 Mail\nns A 1.2.3.4\n"
    "mail A 1.2.3.5\n AAAA ::1\nsub NS ns.sub\nns.sub A 1.2.3.6\n"
    "*.w MX 5 mail\nc CNAME d\nd CNAME C\ndn DNAME e.dn2\n*.e.dn2 TXT a\n"
    "l DNAME l.l\n$GENERATE 1-90 many A 10.0.0.$\n";

static void
say_nothing(enum log_level level, const char *line)
{
}

static void
build_once(struct image *image)
{
	static const struct zone_rules rules = { .records_per_type = 100 };
	static const uint64_t seed[2] = { 1234567, 0x9e3779b97f4a7c15 };
	struct dns_name apex;
	const char *why;

	log_open_function(say_nothing);
	dns_name_parse(&apex, "x", 1, NULL, &why);

	struct zone *zone = zone_read(&apex, "fuzz", text, sizeof(text) - 1,
	    &rules, seed);
	struct build_zone zones = { &apex, zone, 0 };
	struct image_match everybody[2] = { { .kind = MATCH_LIST, .count = 1 },
	    { .kind = MATCH_ANY } };
	struct build build = { .zones = &zones, .zone_count = 1,
	    .acls = everybody, .acl_count = 2, .version = "v", .settings = {
	    .seed = { seed[0], seed[1] }, .udp_max = 1232, .edns_size = 1232,
	    .answer_cookie = true } };
	int fd = build_image(&build);

	if (zone == NULL || fd == -1 || image_map(image, fd) == -1)
		abort();
	close(fd);
	zone_free(&zone);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct image image;
	static struct question question;
	static uint8_t answer[65535];
	const struct sockaddr_in client = { .sin_family = AF_INET };

	if (image.base == NULL)
		build_once(&image);
	for (int tcp = 0; tcp < 2; tcp++) {
		size_t size = tcp ? sizeof(answer) : 4096, written;

		answer_read(&question, &image, bytes, length);
		written = answer_write(&question, &image,
		    (const struct sockaddr *)&client, tcp, answer, size);
		if (written != 0 && (written < DNS_HEADER_SIZE ||
		    written > size || (!tcp && written > 1232)))
			abort();
	}
	return 0;
}
