/* named-lite_answer - any octets as a question to zones with everything in them, signed and not */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "image/build.h"
#include "named-lite/answerer/answer.h"

int	LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define RRSIG(type)	" RRSIG " type " 13 2 60 20300101000000 20200101000000 " \
    "1 x AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"

static const struct {
	const char *apex;
	const char *text;	/* NULL: a zone that did not load */
} sources[] = {
	{ "x", "$TTL 60\n@ SOA ns x 1 2 3 4 5\n NS ns\n MX 1 Mail\n"
	    "ns A 1.2.3.4\nmail A 1.2.3.5\n AAAA ::1\nsub NS ns.sub\n"
	    "ns.sub A 1.2.3.6\n*.w MX 5 mail\nc CNAME d\nd CNAME C\n"
	    "dn DNAME e.dn2\n*.e.dn2 TXT a\nl DNAME l.l\nb CNAME a.b\n"
	    "h HTTPS 1 . alpn=h2\nh A 1.2.3.7\nz NS ns.z\nz DS 1 8 1 "
	    "0123456789012345678901234567890123456789\nns.z A 1.2.3.8\n"
	    "$GENERATE 1-90 many A 10.0.0.$\n" },
	{ "z.x", "$TTL 60\n@ SOA ns x 1 2 3 4 5\n NS ns\nns A 1.2.3.8\n" },
	{ "b", NULL },
	{ "s", "$TTL 60\n@ SOA ns x 1 2 3 4 5\n" RRSIG("SOA") " NS ns\n"
	    RRSIG("NS") " NSEC a.b NS SOA RRSIG NSEC\n" RRSIG("NSEC")
	    "a.b A 1.2.3.4\n" RRSIG("A") " NSEC cut A RRSIG NSEC\n"
	    RRSIG("NSEC") "cut NS ns\n NSEC ns NS RRSIG NSEC\n" RRSIG("NSEC")
	    "ns A 1.2.3.4\n" RRSIG("A") " NSEC *.w A RRSIG NSEC\n"
	    RRSIG("NSEC") "*.w CNAME x.w2\n" RRSIG("CNAME")
	    " NSEC *.w2 CNAME RRSIG NSEC\n" RRSIG("NSEC") "*.w2 A 1.2.3.5\n"
	    RRSIG("A") " NSEC @ A RRSIG NSEC\n" RRSIG("NSEC") },
	{ "t", "$TTL 60\n@ SOA ns x 1 2 3 4 5\n" RRSIG("SOA") " NS ns\n"
	    RRSIG("NS") " NSEC3PARAM 1 0 3 AABB\nns A 1.2.3.4\n" RRSIG("A")
	    "*.w A 1.2.3.5\n" RRSIG("A") "cut.e NS ns\nsec NS ns\n"
	    "00000000000000000000000000000000 NSEC3 1 1 3 AABB "
	    "88888888888888888888888888888888 A\n" RRSIG("NSEC3")
	    "88888888888888888888888888888888 NSEC3 1 1 3 AABB "
	    "VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV A\n" RRSIG("NSEC3")
	    "VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV NSEC3 1 1 3 AABB "
	    "00000000000000000000000000000000 A\n" RRSIG("NSEC3") },
};

static void
say_nothing(enum log_level level, const char *line)
{
}

static void
read_zones(struct build_zone *zones, const uint64_t seed[2])
{
	static const struct zone_rules rules = { .records_per_type = 100 };
	static struct dns_name apexes[COUNT_OF(sources)];
	const char *why;

	for (size_t i = 0; i < COUNT_OF(sources); i++) {
		const char *apex = sources[i].apex, *text = sources[i].text;

		dns_name_parse(&apexes[i], apex, strlen(apex), NULL, &why);
		zones[i].apex = &apexes[i];
		if (text == NULL)
			continue;
		zones[i].zone = zone_read(&apexes[i], "fuzz", text,
		    strlen(text), &rules, seed);
		if (zones[i].zone == NULL)
			abort();
	}
}

/* One that gives as much as it may, and one that gives as little. */
static void
build_once(struct image *image, bool is_generous)
{
	static const uint64_t seed[2] = { 1234567, 0x9e3779b97f4a7c15 };
	struct build_zone zones[COUNT_OF(sources)] = { { .zone = NULL } };
	struct image_match everybody[2] = { { .kind = MATCH_LIST, .count = 1 },
	    { .kind = MATCH_ANY } };
	struct build build = { .zones = zones, .zone_count = COUNT_OF(zones),
	    .acls = everybody, .acl_count = 2, .version = "v",
	    .server_id = is_generous ? "the server" : NULL, .settings = {
	    .seed = { seed[0], seed[1] }, .udp_max = 1232, .edns_size = 1232,
	    .answer_cookie = true, .nocookie_udp_max = 4096,
	    .minimal_responses = is_generous ? MINIMAL_NO : MINIMAL_YES,
	    .minimal_any = !is_generous, .padding_block = 64,
	    .require_server_cookie = !is_generous } };
	int fd;

	log_open_function(say_nothing);
	read_zones(zones, seed);
	fd = build_image(&build);
	if (fd == -1 || image_map(image, fd) == -1)
		abort();
	close(fd);
	for (size_t i = 0; i < COUNT_OF(zones); i++)
		zone_free(&zones[i].zone);
}

/* Anybody can read it, to its last octet. */
static void
check_answer(const uint8_t *answer, size_t length)
{
	unsigned records = dns_get16(answer + 6) + dns_get16(answer + 8) +
	    dns_get16(answer + 10);
	size_t at = DNS_HEADER_SIZE;
	struct dns_record record;

	if (length < DNS_HEADER_SIZE || (answer[2] & 0x80) == 0)
		abort();
	if (dns_get16(answer + 4) > 0 &&
	    !dns_question_skip(answer, length, &at))
		abort();
	while (records-- > 0)
		if (!dns_record_read(&record, answer, length, &at))
			abort();
	if (at != length)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct image images[2];
	static struct question question;
	static uint8_t answer[65535];
	const struct sockaddr_in client = { .sin_family = AF_INET };

	for (int i = 0; i < 2; i++) {
		if (images[i].base == NULL)
			build_once(&images[i], i == 0);
		size_t size = i == 0 ? sizeof(answer) : 4096, written;

		answer_read(&question, &images[i], bytes, length);
		written = answer_write(&question, &images[i],
		    (const struct sockaddr *)&client, i == 0, answer, size);
		if (written == 0)
			continue;
		if (written > size || (i == 1 && written > 1232))
			abort();
		check_answer(answer, written);
	}
	return 0;
}
