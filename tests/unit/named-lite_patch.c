/* image/patch - after any changes of some zones, answers are those of an image that was built from the ground */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "image/build.h"
#include "named-lite/answerer/answer.h"
#include "tests/unit/suite.h"

#define ZONES		5
#define NAMES		40
#define ROUNDS		60
#define MESSAGE_MAX	4096

static const char *const apexes[ZONES] = { "p.test", "c.p.test", "d.c.p.test",
    "q.test", "big.test" };
static const uint64_t seed[2] = { 7, 11 };
static const struct zone_rules rules = { .check_names = VERDICT_IGNORE };
static struct dns_name names[ZONES];

/* What stands in a zone in a round: each name is there or not, as chance has it. NULL now and then: it is broken. */
static struct zone *
make_zone(int number, unsigned chance)
{
	struct text text = TEXT_EMPTY;
	int count = number == ZONES - 1 ? 40 * NAMES : NAMES;
	struct zone *zone;

	srandom(chance * ZONES + number);
	text_printf(&text, "$TTL 60\n@ SOA ns x %u 2 3 4 5\n@ NS ns\n"
	    "ns A 10.0.0.%u\n", chance, chance);
	for (int i = 0; i < count; i++)
		if (i > NAMES || random() % 3 == 0)
			text_printf(&text, "n%d MX 1 n%d\nn%d A 10.0.0.%d\n",
			    i, (i + 1) % NAMES, i, i);
	if (random() % 2 == 0)
		text_puts(&text, "c NS ns.c\nns.c A 10.0.0.9\n"
		    "c DS 1 8 2 (00112233445566778899AABBCCDDEEFF"
		    "00112233445566778899AABBCCDDEEFF)\n");
	if (random() % 2 == 0)
		text_puts(&text, "*.n1 TXT wild\nx.y.n2 A 10.0.0.1\n");
	zone = random() % 7 == 0 ? NULL : zone_read(&names[number], "zone",
	    text.bytes, text.length, &rules, seed);
	text_clear(&text);
	return zone;
}

static size_t
ask(const struct image *image, const char *text, uint16_t type,
    uint8_t answer[MESSAGE_MAX])
{
	static struct question question;
	const struct sockaddr_in client = { .sin_family = AF_INET };
	uint8_t message[DNS_HEADER_SIZE + DNS_NAME_MAX + 4] = { 0, 1, 0, 0, 0,
	    1 };
	struct dns_name name;
	const char *why;

	ck_assert_int_eq(dns_name_parse(&name, text, strlen(text), NULL, &why),
	    0);
	memcpy(message + DNS_HEADER_SIZE, name.bytes, name.length);
	dns_put16(message + DNS_HEADER_SIZE + name.length, type);
	dns_put16(message + DNS_HEADER_SIZE + name.length + 2, DNS_CLASS_IN);
	answer_read(&question, image, message,
	    DNS_HEADER_SIZE + name.length + 4);
	return answer_write(&question, image,
	    (const struct sockaddr *)&client, true, answer, MESSAGE_MAX);
}

static void
compare(const struct image *a, const struct image *b, const char *name,
    int round)
{
	static const uint16_t types[] = { DNS_TYPE_A, DNS_TYPE_MX, DNS_TYPE_DS,
	    DNS_TYPE_SOA, DNS_TYPE_TXT };
	uint8_t one[MESSAGE_MAX], other[MESSAGE_MAX];

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		size_t length = ask(a, name, types[i], one);

		ck_assert_msg(length == ask(b, name, types[i], other) &&
		    memcmp(one, other, length) == 0, "round %d: %s %u differs",
		    round, name, types[i]);
	}
}

static void
compare_all(const struct image *a, const struct image *b, int round)
{
	static const char *const others[] = { "%s", "c.%s", "x.c.%s",
	    "ns.c.%s", "x.n1.%s", "y.n2.%s", "nothing.%s" };
	char name[100];

	for (int zone = 0; zone < ZONES; zone++) {
		for (size_t i = 0; i < COUNT_OF(others); i++) {
			snprintf(name, sizeof(name), others[i], apexes[zone]);
			compare(a, b, name, round);
		}
		for (int i = 0; i < NAMES; i++) {
			snprintf(name, sizeof(name), "n%d.%s", i,
			    apexes[zone]);
			compare(a, b, name, round);
		}
	}
}

static void
use(struct image *image, int fd)
{
	ck_assert_int_ne(fd, -1);
	image_unmap(image);
	ck_assert_int_eq(image_map(image, fd), 0);
	close(fd);
}

/* Which of the zones are as in which round. */
static int
build_from_ground(const struct image_header *settings,
    const unsigned chances[ZONES])
{
	struct build_zone zones[ZONES];
	static const struct image_match none[1];
	struct build build = { .zones = zones, .zone_count = ZONES,
	    .acls = none, .acl_count = 1, .settings = *settings };
	int fd;

	for (int i = 0; i < ZONES; i++)
		zones[i] = (struct build_zone) { &names[i],
		    make_zone(i, chances[i]), false, 0, 0 };
	fd = build_image(&build);
	for (int i = 0; i < ZONES; i++)
		zone_free(&zones[i].zone);
	return fd;
}

START_TEST(test_patches)
{
	const struct image_header settings = { .seed = { 7, 11 },
	    .udp_max = 1232 };
	unsigned chances[ZONES] = { 1, 1, 1, 1, 1 }, patched = 0;
	struct image image = { .base = NULL }, fresh = { .base = NULL };

	use(&image, build_from_ground(&settings, chances));
	for (int round = 0; round < ROUNDS; round++) {
		struct build_zone zones[ZONES];
		struct build build = { .zones = zones, .zone_count = ZONES,
		    .settings = settings };
		int fd;

		for (int i = 0; i < ZONES; i++) {
			bool is_kept = i == ZONES - 1 || (round * 7 + i) % 3;

			zones[i] = (struct build_zone) { &names[i], NULL,
			    is_kept, 0, 0 };
			if (is_kept)
				continue;
			chances[i] = round + 2;
			zones[i].zone = make_zone(i, chances[i]);
		}
		fd = build_patch(&build, &image);
		for (int i = 0; i < ZONES; i++)
			zone_free(&zones[i].zone);
		ck_assert(fd != -1 || errno == ENOSPC);
		patched += fd != -1;
		if (fd == -1)
			fd = build_from_ground(&settings, chances);
		use(&image, fd);
		use(&fresh, build_from_ground(&settings, chances));
		compare_all(&image, &fresh, round);
	}
	ck_assert_uint_gt(patched, ROUNDS / 4);
	image_unmap(&image);
	image_unmap(&fresh);
}
END_TEST

static void
say_nothing(enum log_level level, const char *line)
{
}

int
main(void)
{
	Suite *suite = suite_create("image/patch");
	TCase *tcase = tcase_create("patch");
	const char *why;

	log_open_function(say_nothing);
	for (int i = 0; i < ZONES; i++)
		if (dns_name_parse(&names[i], apexes[i], strlen(apexes[i]),
		    NULL, &why) == -1)
			return EXIT_FAILURE;
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_patches);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
