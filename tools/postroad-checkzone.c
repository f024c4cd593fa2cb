/*
 * postroad-checkzone - is a zone file good?
 *
 * Reads it as named-lite(8) does and says what is wrong, in the words and
 * with the options of BIND's named-checkzone. Names outside of the zone are
 * asked of this host's resolver, unless -i says otherwise. As
 * named-compilezone it writes the zone to a file, and is less patient.
 */

#include <arpa/inet.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "tools/shared/named.h"
#include "tools/shared/outside.h"
#include "zone/dump.h"
#include "zone/raw.h"
#include "zone/zone.h"

static struct {
	const char *root, *directory, *output;
	const char *zone, *file;
	bool	 dumps, is_quiet, is_talkative, compiles;
	enum dump_style style;
	bool	 writes_raw;
	uint32_t source_serial;
	struct zone_rules rules;
} o = {
	.rules = {
		.check_names = VERDICT_WARN,
		.check_dup_records = VERDICT_WARN,
		.check_mx = VERDICT_WARN,
		.check_ns = VERDICT_WARN,
		.check_mx_cname = VERDICT_WARN,
		.check_srv_cname = VERDICT_WARN,
		.check_spf = VERDICT_WARN,
		.check_integrity = true,
		.check_sibling = true,
		.check_wildcard = true,
		.many_errors = true,
		.look = outside_look,
	},
};

__attribute__((noreturn)) static void
usage(int code)
{
	fprintf(stderr, "usage: %s [-djqvD] [-c class] "
	    "[-f inputformat] [-F outputformat]\n"
	    "    [-i (full|full-sibling|local|local-sibling|none)] "
	    "[-k (ignore|warn|fail)]\n"
	    "    [-l maxttl] [-L serial] [-m (ignore|warn|fail)] "
	    "[-M (ignore|warn|fail)]\n"
	    "    [-n (ignore|warn|fail)] [-o filename] "
	    "[-r (ignore|warn|fail)]\n"
	    "    [-s (full|relative)] [-S (ignore|warn|fail)] [-t directory] "
	    "[-T (ignore|warn)]\n"
	    "    [-w directory] [-W (ignore|warn)] zonename [(filename|-)]\n", getprogname());
	exit(code);
}

static void
complain(int option, const char *argument)
{
	fprintf(stderr, "invalid argument to -%c: %s\n", option, argument);
	exit(EXIT_FAILURE);
}

/* -k and its kin: which letter sets what. */
static const struct {
	char	 option;
	uint32_t *verdict;
} verdicts[] = {
	{ 'k', &o.rules.check_names }, { 'm', &o.rules.check_mx },
	{ 'n', &o.rules.check_ns }, { 'r', &o.rules.check_dup_records },
	{ 'M', &o.rules.check_mx_cname }, { 'S', &o.rules.check_srv_cname },
	{ 'T', &o.rules.check_spf },
};

static void
set_verdict(int option, const char *argument)
{
	static const char *const words[] = { "fail", "warn", "ignore" };

	for (size_t i = 0; i < COUNT_OF(verdicts); i++)
		for (size_t w = 0; w < COUNT_OF(words); w++)
			if (verdicts[i].option == option && strcmp(words[w], argument) == 0) {
				*verdicts[i].verdict = w;
				return;
			}
	complain(option, argument);
}

static void
set_integrity(const char *argument)
{
	bool sibling = strcmp(argument, "full") == 0 ||
	    strcmp(argument, "local") == 0;

	if (!sibling && strcmp(argument, "full-sibling") != 0 &&
	    strcmp(argument, "local-sibling") != 0 &&
	    strcmp(argument, "none") != 0)
		complain('i', argument);
	o.rules.look = text_starts_with(argument, "full") ? outside_look :
	    NULL;
	o.rules.check_integrity = strcmp(argument, "none") != 0;
	o.rules.check_sibling = sibling;
}

static void
set_class(const char *argument)
{
	if (strcasecmp(argument, "IN") == 0)
		return;
	if (dns_class_parse(argument, strlen(argument)) != -1)
		fprintf(stderr, "-c %s: only 'IN' is served\n", argument);
	exit(EXIT_FAILURE);
}

/* A number, or as many words about it as BIND has. */
static int64_t
number(const char *argument, const char *what)
{
	const char *wrong;
	int64_t value = strtonum(argument, 0, UINT32_MAX, &wrong);

	if (wrong == NULL)
		return value;
	fprintf(stderr, "%s must be numeric", what);
	exit(EXIT_FAILURE);
}

/* What is read is in the form that it is in. */
static void
set_format(int option, const char *argument)
{
	bool is_raw = strcmp(argument, "raw") == 0 || (option == 'F' &&
	    text_starts_with(argument, "raw="));

	if (!is_raw && strcmp(argument, "text") != 0) {
		fprintf(stderr, "unknown file format: %s\n", argument);
		exit(EXIT_FAILURE);
	}
	if (option == 'F')
		o.writes_raw = is_raw;
}

static void
set_style(const char *argument)
{
	if (strcmp(argument, "relative") == 0)
		o.style = DUMP_RELATIVE;
	else if (strcmp(argument, "full") != 0) {
		fprintf(stderr, "unknown or unsupported style: %s\n",
		    argument);
		exit(EXIT_FAILURE);
	}
}

static void
read_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv,
	    "c:df:F:hi:jJ:k:l:L:m:M:n:o:qr:s:S:t:T:vw:W:D")) != -1) {
		switch (option) {
		case 'c':
			set_class(optarg);
			break;
		case 'f':
		case 'F':
			set_format(option, optarg);
			break;
		case 'i':
			set_integrity(optarg);
			break;
		case 'd':
			o.is_talkative = true;
			break;
		case 'h':
			usage(EXIT_FAILURE);
		case 'j':	/* changes of zones leave no journal here */
		case 'J':
			break;
		case 's':
			set_style(optarg);
			break;
		case '?':
			usage(EXIT_FAILURE);
		case 'l':
			o.rules.max_ttl = number(optarg, "maximum TTL");
			break;
		case 'L':
			o.source_serial = number(optarg,
			    "source serial number");
			break;
		case 'o':
			o.output = optarg;
			o.dumps = true;
			break;
		case 'q':
			o.is_quiet = true;
			break;
		case 't':
			o.root = optarg;
			break;
		case 'v':
			named_print_version();
		case 'w':
			o.directory = optarg;
			break;
		case 'W':
			o.rules.check_wildcard = strcmp(optarg, "ignore") != 0;
			break;
		case 'D':
			o.dumps = true;
			break;
		default:
			set_verdict(option, optarg);
			break;
		}
	}
	if (optind >= argc || optind + 2 < argc)
		usage(EXIT_FAILURE);
	o.zone = argv[optind];
	o.file = optind + 1 < argc ? argv[optind + 1] : "-";
}

/* What comes by a pipe, whole. */
static struct zone *
read_standard_input(const struct dns_name *apex, const uint64_t seed[2])
{
	struct text text = TEXT_EMPTY;
	struct zone *zone;
	size_t length;

	while ((length = fread(text_reserve(&text, 65536), 1, 65536,
	    stdin)) > 0)
		text.length += length;
	zone = zone_read(apex, "<stdin>", text_string(&text), text.length,
	    &o.rules, seed);
	text_clear(&text);
	return zone;
}

/* Where the serial stands in the data of the SOA. */
static const uint8_t *
serial_of(const struct zone *zone)
{
	const struct zone_rdata *soa = zone_find_rrset(zone->first,
	    DNS_TYPE_SOA)->first;

	return soa->octets + soa->length - 20;
}

static int
dump(const struct zone *zone)
{
	bool to_file = o.output != NULL && strcmp(o.output, "-") != 0;
	FILE *to = to_file ? fopen(o.output, "w") : stdout;
	int result;

	if (to == NULL) {
		fflush(stdout);
		fprintf(stderr, "could not open output file \"%s\" for "
		    "writing\n", o.output);
		return -1;
	}
	result = o.writes_raw ? raw_dump(zone, o.source_serial, to) :
	    zone_dump(zone, o.style, to);
	if (to_file && fclose(to) != 0)
		result = -1;
	if (result == -1)
		fprintf(stderr, "dumping master file: %s\n", strerror(errno));
	return result;
}

/* What named-compilezone has for defaults: what one is told of elsewhere is an error, as for the server. */
static void
become_compiler(void)
{
	o.rules.check_names = VERDICT_FAIL;
	o.rules.check_ns = VERDICT_FAIL;
	o.rules.many_errors = false;
	o.compiles = true;
}

int
main(int argc, char **argv)
{
	static const uint64_t seed[2] = { 1, 3 };
	struct dns_name apex;
	struct zone *zone;
	const char *why;
	FILE *lines;

	if (strstr(argv[0], "compilezone") != NULL)
		become_compiler();
	read_options(argc, argv);
	if (o.compiles && o.output == NULL) {
		fprintf(stderr, "output file required, but not specified\n");
		usage(EXIT_FAILURE);
	}
	lines = o.is_quiet ? NULL : o.dumps && (o.output == NULL ||
	    strcmp(o.output, "-") == 0) ? stderr : stdout;
	named_lines_go_to(lines);
	named_enter(o.root, o.directory);
	if (dns_name_parse(&apex, o.zone, strlen(o.zone), NULL, &why) == -1)
		return EXIT_FAILURE;	/* without a word, as BIND */
	if (o.is_talkative)
		fprintf(stderr, "loading \"%s\" from \"%s\" class \"IN\"\n",
		    o.zone, o.file);
	zone = strcmp(o.file, "-") == 0 ? read_standard_input(&apex, seed) :
	    zone_load(&apex, o.file, &o.rules, seed);
	if (zone == NULL)
		return EXIT_FAILURE;
	log_info("zone %s/IN: loaded serial %" PRIu32, zone->text,
	    dns_get32(serial_of(zone)));
	if (o.dumps && dump(zone) == -1)
		return EXIT_FAILURE;
	log_info("OK");
	return EXIT_SUCCESS;
}
